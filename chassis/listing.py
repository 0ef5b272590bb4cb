"""Lists, page by page: of aggregates, latest change first, and of what is ordered by a key of its own."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from google.protobuf.message import Message
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    DateTime,
    Select,
    Table,
    Uuid,
    bindparam,
    or_,
    select,
    tuple_,
)

from chassis.pages import PageTokenMalformed, arguments, page_size, read_token, write_token
from chassis.sql import Executor, Statement

PAGE_BYTES: Final = 2 * 1024**2
"""How much a page has: half of what a client takes in one message unless it says otherwise."""

_AT_ONCE: Final = 100
"""How many messages are read at once, of which those that are too many for the page are read in vain."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_PLACE_BYTES: Final = 8 + 16
_NUMBER_BYTES: Final = 8
_LARGEST_NUMBER: Final = (1 << 63) - 1

Key = TypeVar("Key")


@dataclass(frozen=True, slots=True)
class Place:
    """A place in such a list."""

    update_time: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Listed:
    """An aggregate in a list: its place and its stored message."""

    place: Place
    message: bytes


@dataclass(frozen=True, slots=True)
class Page:
    """What a call lists, and the token for what comes after; empty at the end."""

    messages: Sequence[bytes]
    next_token: str


ListAfter = Callable[[Place | None, int], Awaitable[Sequence[Listed]]]


class LatestFirst:
    """The list of one table's aggregates: `id`, `updated_at`, `state`; `chosen` says with parameters which of them."""

    def __init__(self, table: Table, id_column: str, *chosen: ColumnElement[bool]) -> None:
        self._list: Final = Statement(_list(table, id_column, chosen))

    async def after(
        self, on: Executor, chosen: Mapping[str, object], place: Place | None, most: int
    ) -> Sequence[Listed]:
        """Return the aggregates after a place."""
        values = {"before_time": place and place.update_time, "before_id": place and place.id, "most": most}
        rows = await self._list.fetch(on, {**chosen, **values})
        return [Listed(Place(row["updated_at"], row["id"]), row["state"]) for row in rows]


@dataclass(frozen=True, slots=True)
class Order(Generic[Key]):
    """How the keys of a list stand in its page tokens; `read` raises PageTokenMalformed for anything else."""

    write: Callable[[Key], bytes]
    read: Callable[[bytes], Key]


async def page_of(request: Message, size: int, token: str, list_after: ListAfter) -> Page:
    """Return the page that a request of a size and token asks for. Raises PageTokenMalformed."""

    async def places_after(place: Place | None, most: int) -> Sequence[tuple[Place, bytes]]:
        return [(each.place, each.message) for each in await list_after(place, most)]

    return await ordered_page(PLACES, request, size, token, places_after)


async def ordered_page(
    order: Order[Key],
    request: Message,
    size: int,
    token: str,
    list_after: Callable[[Key | None, int], Awaitable[Sequence[tuple[Key, bytes]]]],
) -> Page:
    """Return the page of a list in an order: of so many messages with their keys, after a key. Raises as `page_of`.

    A page ends before it has more than PAGE_BYTES, but not before its first message.
    """
    bound_to, size = arguments(request), page_size(size)
    after = order.read(read_token(token, bound_to)) if token else None
    messages, room = list[bytes](), PAGE_BYTES
    while True:
        most = min(size + 1 - len(messages), _AT_ONCE)
        listed = await list_after(after, most)
        for key, message in listed:
            if after is not None and messages and (len(messages) == size or len(message) > room):
                return Page(messages, write_token(order.write(after), bound_to))
            messages.append(message)
            after, room = key, room - len(message)
        if len(listed) < most:
            return Page(messages, "")


def _list(table: Table, id_column: str, chosen: Sequence[ColumnElement[bool]]) -> Select[Any]:
    aggregate_id = table.c[id_column].label("id")
    before = bindparam("before_time", type_=DateTime(timezone=True))
    place = tuple_(table.c.updated_at, table.c[id_column])
    return (
        select(table.c.updated_at, aggregate_id, table.c.state)
        .where(*chosen, or_(before.is_(None), place < tuple_(before, bindparam("before_id", type_=Uuid()))))
        .order_by(table.c.updated_at.desc(), table.c[id_column].desc())
        .limit(bindparam("most", type_=BigInteger()))
    )


def _malformed() -> PageTokenMalformed:
    return PageTokenMalformed("the page token names no place")


def _write_place(place: Place) -> bytes:
    return ((place.update_time - _EPOCH) // _MICROSECOND).to_bytes(8) + place.id.bytes


def _read_place(given: bytes) -> Place:
    """Read a place; whoever makes a token by hand may have put anything into it."""
    if len(given) == _PLACE_BYTES:
        try:
            return Place(_EPOCH + timedelta(microseconds=int.from_bytes(given[:8])), UUID(bytes=given[8:]))
        except OverflowError:
            pass
    raise _malformed()


def _write_number(number: int) -> bytes:
    return number.to_bytes(_NUMBER_BYTES)


def _read_number(given: bytes) -> int:
    number = int.from_bytes(given)
    if len(given) != _NUMBER_BYTES or number > _LARGEST_NUMBER:
        raise _malformed()
    return number


def _read_name(given: bytes) -> str:
    """Read a name; PostgreSQL knows no text with a zero in it."""
    try:
        name = given.decode()
    except UnicodeDecodeError:
        name = ""
    if not name or "\0" in name:
        raise _malformed()
    return name


PLACES: Final = Order(_write_place, _read_place)
NUMBERS: Final = Order(_write_number, _read_number)
NAMES: Final = Order(str.encode, _read_name)
