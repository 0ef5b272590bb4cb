"""What selling an offer means, written down a second time: rows, a clock in minutes, nothing of the domain's code."""

from dataclasses import dataclass, field

BEGINS = 3 * 24 * 60
HOLD, LONGEST_HOLD, PROMOTED_HOLD, QUOTE = 10, 60, 24 * 60, 10
MOST_PROMOTIONS = 2
LIVE = ("WAITING", "HELD", "CONFIRMED")


@dataclass
class Row:
    """A reservation; `price` is the tier's name and the edition of the price list it was taken from."""

    who: str | None
    state: str
    seats: int
    price: tuple[str, int]
    made: int
    expires: int = 0
    number: int = 0


@dataclass
class SaleModel:
    """An offer with some seats, of which the first so many are early birds."""

    maximum: int
    taken_before: int
    early_birds: int
    standard: int | None
    waitlist_limit: int | None
    edition: int = 0
    closed: bool = False
    pending: bool = False
    now: int = 0
    joined: int = 0
    rows: dict[int, Row] = field(default_factory=dict)
    hidden: set[int] = field(default_factory=set)

    def seats(self, *states: str, tier: str | None = None) -> int:
        """Count the seats of reservations in some states."""
        return sum(r.seats for r in self.rows.values() if r.state in states and tier in (None, r.price[0]))

    @property
    def left(self) -> int:
        """Count the free seats."""
        return self.maximum - self.taken_before - self.seats("HELD", "CONFIRMED")

    @property
    def line(self) -> list[tuple[int, Row]]:
        """Return those who wait, first come first."""
        waiting = [(key, row) for key, row in self.rows.items() if row.state == "WAITING"]
        return sorted(waiting, key=lambda entry: entry[1].number)

    def tier_for(self, seats: int) -> str | None:
        """Return the tier that has so many seats left."""
        for name, limit in (("Early bird", self.early_birds), ("Standard", self.standard)):
            if limit is None or self.seats("HELD", "CONFIRMED", tier=name) + seats <= limit:
                return name
        return None

    def reserve(self, key: int, who: str, seats: int, quote: tuple[tuple[str, int], int] | None = None) -> str:
        """Reserve; a quote is a price and the minute when it expires."""
        reason = self._hindrance(who)
        if not reason and (seats > self.left or self.line):
            reason = "NO_SEATS"
        if not reason and quote is not None:
            limit = {"Early bird": self.early_birds, "Standard": self.standard}[quote[0][0]]
            if self.now >= quote[1]:
                reason = "QUOTE_EXPIRED"
            elif limit is not None and self.seats("HELD", "CONFIRMED", tier=quote[0][0]) + seats > limit:
                reason = "TIER_SOLD_OUT"
        tier = self.tier_for(seats) if quote is None else quote[0][0]
        if not reason and tier is None:
            reason = "NO_PRICE"
        if not reason:
            price = (str(tier), self.edition) if quote is None else quote[0]
            self.rows[key] = Row(who, "HELD", seats, price, self.now, min(BEGINS, self.now + HOLD))
        return reason or "done"

    def join(self, key: int, who: str, seats: int) -> str:
        """Join the line."""
        reason = self._hindrance(who)
        if not reason and self.waitlist_limit == 0:
            reason = "NO_WAITLIST"
        if not reason and seats <= self.left and not self.line:
            reason = "WAITLIST_NOT_NEEDED"
        if not reason and seats > self.maximum - self.taken_before:
            reason = "NO_SEATS"
        if not reason and self.waitlist_limit is not None and len(self.line) >= self.waitlist_limit:
            reason = "WAITLIST_FULL"
        if not reason:
            self.joined += 1
            price = (self.tier_for(seats) or "Standard", self.edition)
            self.rows[key] = Row(who, "WAITING", seats, price, self.now, number=self.joined)
            if self.hidden:
                self.hidden.add(key)
        return reason or "done"

    def has_live(self, who: str) -> bool:
        """Tell whether somebody has a live reservation."""
        return any(row.who == who and row.state in LIVE for row in self.rows.values())

    def _hindrance(self, who: str) -> str:
        if self.has_live(who):
            return "ALREADY_RESERVED"
        return "SALES_CLOSED" if self.closed or self.now >= BEGINS else ""

    def change(self, kind: str, key: int) -> str:
        """Confirm, extend, release, leave or expire one reservation."""
        row = self.rows.get(key)
        if row is None:
            return "nothing" if kind == "expire" else "RESOURCE_NOT_FOUND"
        return {
            "confirm": self._confirm,
            "extend": self._extend,
            "release": self._release,
            "leave": self._leave,
            "expire": self._expire,
        }[kind](row)

    def _confirm(self, row: Row) -> str:
        if row.state not in ("HELD", "EXPIRED"):
            return "RESERVATION_STATE"
        if row.state == "EXPIRED" or self.now >= row.expires:
            return "HOLD_EXPIRED"
        row.state = "CONFIRMED"
        return "done"

    def _extend(self, row: Row) -> str:
        if row.state not in ("HELD", "EXPIRED"):
            return "RESERVATION_STATE"
        if row.state == "EXPIRED" or self.now >= row.expires:
            return "HOLD_EXPIRED"
        limit = min(BEGINS, row.made + LONGEST_HOLD)
        if limit <= row.expires:
            return "HOLD_LIMIT"
        until = min(limit, self.now + HOLD)
        if until <= row.expires:
            return "nothing"
        row.expires = until
        return "done"

    def _release(self, row: Row) -> str:
        if row.state not in ("HELD", "CONFIRMED"):
            return "RESERVATION_STATE"
        if row.state == "CONFIRMED" and self.now >= BEGINS:
            return "TOO_LATE_TO_LEAVE"
        row.state = "RELEASED"
        return self.promote()

    def _leave(self, row: Row) -> str:
        if row.state != "WAITING":
            return "RESERVATION_STATE"
        row.state = "RELEASED"
        return self.promote()

    def _expire(self, row: Row) -> str:
        if row.state != "HELD" or self.now < row.expires:
            return "nothing"
        row.state = "EXPIRED"
        return self.promote()

    def resize(self, maximum: int) -> str:
        """Set the number of seats."""
        if maximum < self.maximum - self.left:
            return "CAPACITY_BELOW_TAKEN"
        if maximum == self.maximum:
            return "nothing"
        self.maximum = maximum
        return self.promote()

    def reopen(self) -> str:
        """Sell again."""
        if not self.closed:
            return "nothing"
        self.closed = False
        return self.promote()

    def promote_rest(self) -> str:
        """Go on where an earlier promotion stopped."""
        if not self.pending:
            return "nothing"
        before = (len(self.line), self.pending)
        self.promote()
        return "nothing" if before == (len(self.line), self.pending) else "done"

    def promote(self) -> str:
        """Give free seats to the line, in its order, as far as it is known; who can never be served leaves it."""
        self.pending = False
        for done, (key, row) in enumerate(self.line if self.now < BEGINS and not self.closed else []):
            hopeless = row.seats > self.maximum - self.taken_before
            if key in self.hidden:
                self.pending = self.left > 0
                break
            if row.seats > self.left and not hopeless:
                break
            if done == MOST_PROMOTIONS:
                self.pending = True
                break
            if hopeless:
                row.state = "RELEASED"
                continue
            row.price = self.promoted(row)
            row.state, row.made = "HELD", self.now
            row.expires = min(BEGINS, self.now + PROMOTED_HOLD)
        return "done"

    def promoted(self, row: Row) -> tuple[str, int]:
        """Return what one who waited pays: as noted while that tier has seats, else the present price, if any."""
        limit = {"Early bird": self.early_birds, "Standard": self.standard}[row.price[0]]
        if limit is None or self.seats("HELD", "CONFIRMED", tier=row.price[0]) + row.seats <= limit:
            return row.price
        tier = self.tier_for(row.seats)
        return row.price if tier is None else (tier, self.edition)
