"""The life of a program in strings and sets, written from its description alone: it shares no code with the domain."""

from dataclasses import dataclass, field

OK, NOTHING = "allowed", "nothing to do"
NO, GONE = "PROGRAM_STATE", "RESOURCE_NOT_FOUND"


@dataclass
class ModelVersion:
    """One version: its title and tag stand for all of its content."""

    number: int
    title: str
    tag: str
    state: str = "DRAFT"
    approvals: set[str] = field(default_factory=set)
    assigned: set[str] = field(default_factory=set)
    waits: bool = False
    comments: dict[str, bool] = field(default_factory=dict)
    open: set[str] = field(default_factory=set)
    release_at: int | None = None

    def leave_review(self, state: str, *, approved: bool = False) -> None:
        """End the assignments; without the approval, the approvals count no more."""
        self.state, self.assigned, self.waits = state, set(), False
        if not approved:
            self.approvals = set()

    def blocked(self) -> int:
        """Count the open comments that block."""
        return sum(self.comments[name] for name in self.open)


@dataclass
class Model:
    """The program; `free` are the reviewers with a slot in the order in which they are chosen, `registered` all."""

    needed: int
    free: list[str]
    registered: set[str]
    now: int = 0
    revision: int = 0
    numbers: int = 0
    deleted: bool = False
    retired: bool = False
    retire_at: int | None = None
    authors: set[str] = field(default_factory=set)
    working: ModelVersion | None = None
    live: ModelVersion | None = None
    archive: list[tuple[int, str]] = field(default_factory=list)

    @property
    def state(self) -> str:
        """Return the state that is shown."""
        if self.retired:
            return "RETIRED"
        return "RELEASED" if self.live else self.working.state if self.working else "DELETED"

    def expect(self, who: str, name: str, words: dict[str, str], number: int) -> str:
        """Return the reason of the refusal, or carry the command out."""
        made = self.revision > 0
        if name in {"create", "import"}:
            if made:
                same = name == "import" and self.live and (self.live.title, self.live.tag) == _said(words)
                return "RESOURCE_EXISTS" if not same else NO if self.retired else NOTHING
            self.working, self.numbers = ModelVersion(1, *_said(words)), 1
            self.authors = {who, "carol"} if name == "create" else {who}
            if name == "import":
                self._go_live()
            return self._done(OK)
        if name == "schedule" and number <= 0:
            return "RELEASE_TIME_PAST"
        if name == "retire_later" and number <= 0:
            return "RETIREMENT_TIME_PAST"
        quiet = name.startswith("fire") or name in {"assign_waiting", "reassign"}
        if not made or (self.deleted and not quiet):
            return GONE
        return self._done(str(getattr(self, f"_{name}")(who, words, number)))

    def _done(self, outcome: str) -> str:
        self.revision += outcome == OK
        return outcome

    def _worked(self, who: str, *, by_author: bool) -> str:
        """Return why somebody can't work on the working version, if so: authors do, or others do."""
        if self.working is None or self.retired:
            return NO
        if by_author != (who in self.authors):
            return "NOT_AN_AUTHOR" if by_author else "FOUR_EYES"
        return ""

    def _update(self, who: str, words: dict[str, str], _: int) -> str:
        if why := self._worked(who, by_author=True):
            return why
        version = self.working
        assert version is not None
        if version.state == "IN_REVIEW":
            return "LOCKED_IN_REVIEW"
        if version.state == "REJECTED":
            return NO
        if (version.title, version.tag) == _said(words):
            return NOTHING
        if words["title"] != version.title:
            if version.state == "SCHEDULED":
                return NO
            version.leave_review("DRAFT")
        version.title, version.tag = _said(words)
        return OK

    def _submit(self, who: str, _: dict[str, str], __: int) -> str:
        if why := self._worked(who, by_author=True):
            return why
        assert self.working is not None
        if self.working.state != "DRAFT":
            return NO
        self.working.state = "IN_REVIEW"
        self._fill(self.working)
        return OK

    def _fill(self, version: ModelVersion) -> bool:
        """Assign who is free as long as somebody is missing; tell whether anything changed."""
        before = (set(version.assigned), version.waits)
        for name in self.free:
            if len(version.assigned | version.approvals) < self.needed and name not in self.authors | version.approvals:
                version.assigned.add(name)
        version.waits = len(version.assigned | version.approvals) < self.needed
        return (version.assigned, version.waits) != before

    def _withdraw(self, who: str, _: dict[str, str], __: int) -> str:
        if why := self._worked(who, by_author=True):
            return why
        return self._back_to_draft()

    def _request(self, who: str, _: dict[str, str], __: int) -> str:
        if why := self._worked(who, by_author=False):
            return why
        return self._back_to_draft()

    def _back_to_draft(self) -> str:
        assert self.working is not None
        if self.working.state != "IN_REVIEW":
            return NO
        self.working.leave_review("DRAFT")
        return OK

    def _decides(self, who: str) -> str:
        if why := self._worked(who, by_author=False):
            return why
        assert self.working is not None
        if self.working.state != "IN_REVIEW":
            return NO
        return "NOT_ASSIGNED" if self.working.assigned and who not in self.working.assigned else ""

    def _approve(self, who: str, _: dict[str, str], __: int) -> str:
        why, version = self._decides(who), self.working
        if version is not None and version.state == "IN_REVIEW" and who in version.approvals:
            return "ALREADY_APPROVED_BY"
        if why:
            return why
        assert version is not None
        if version.blocked():
            return "OPEN_BLOCKING_COMMENTS"
        version.approvals.add(who)
        version.assigned.discard(who)
        version.waits = len(version.assigned | version.approvals) < self.needed
        if len(version.approvals) >= self.needed:
            version.leave_review("APPROVED", approved=True)
        return OK

    def _reject(self, who: str, _: dict[str, str], __: int) -> str:
        if why := self._decides(who):
            return why
        assert self.working is not None
        self.working.leave_review("REJECTED", approved=True)
        return OK

    def _assign(self, _: str, words: dict[str, str], __: int) -> str:
        version, name = self.working, words["reviewer"]
        if version is None or self.retired or version.state != "IN_REVIEW":
            return NO
        if not name:
            return OK if self._fill(version) else NOTHING
        for wrong, why in (
            (name in self.authors, "FOUR_EYES"),
            (name not in self.registered, "REVIEWER_NOT_REGISTERED"),
            (name in version.assigned, "ALREADY_ASSIGNED"),
            (name in version.approvals, "ALREADY_APPROVED_BY"),
            (name not in self.free, "REVIEWER_BUSY"),
        ):
            if wrong:
                return why
        version.assigned.add(name)
        version.waits = len(version.assigned | version.approvals) < self.needed
        return OK

    def _assign_waiting(self, _: str, __: dict[str, str], ___: int) -> str:
        if self.working is None or not self.working.waits:
            return NOTHING
        return OK if self._fill(self.working) else NOTHING

    def _reassign(self, _: str, __: dict[str, str], ___: int) -> str:
        if self.working is None or self.working.assigned <= self.registered:
            return NOTHING
        self.working.assigned &= self.registered
        self._fill(self.working)
        return OK

    def _comment(self, who: str, words: dict[str, str], __: int) -> str:
        version, blocks = self.working, words["blocking"] == "yes"
        if version is None or self.retired or version.state in {"SCHEDULED", "REJECTED"}:
            return NO
        if blocks and who in self.authors:
            return "FOUR_EYES"
        if blocks and version.state == "APPROVED":
            return NO
        name = f"{version.number}.{len(version.comments)}"
        version.comments[name] = blocks
        version.open.add(name)
        return OK

    def _resolve(self, who: str, _: dict[str, str], number: int) -> str:
        version = self.working
        if version is None or self.retired or version.state in {"SCHEDULED", "REJECTED"}:
            return NO
        name = f"{version.number}.{number}"
        if name not in version.comments:
            return GONE
        if name not in version.open:
            return NOTHING
        if version.comments[name] and who in self.authors:
            return "FOUR_EYES"
        version.open.remove(name)
        return OK

    def _release(self, *_: object) -> str:
        if self.working is None or self.retired or self.working.state not in {"APPROVED", "SCHEDULED"}:
            return NO
        self._go_live()
        return OK

    def _go_live(self) -> None:
        assert self.working is not None
        if self.live:
            self.archive.append((self.live.number, "SUPERSEDED"))
        self.live, self.working = self.working, None
        self.live.state, self.live.release_at = "RELEASED", None

    def _schedule(self, _: str, __: dict[str, str], hours: int) -> str:
        version = self.working
        if version is None or self.retired or version.state not in {"APPROVED", "SCHEDULED"}:
            return NO
        if version.release_at == self.now + hours:
            return NOTHING
        version.state, version.release_at = "SCHEDULED", self.now + hours
        return OK

    def _cancel(self, *_: object) -> str:
        if self.working is None or self.retired or self.working.state != "SCHEDULED":
            return NO
        self.working.state, self.working.release_at = "APPROVED", None
        return OK

    def _fire_release(self, *_: object) -> str:
        at = self.working.release_at if self.working else None
        if at is None or at > self.now or (self.retire_at is not None and self.retire_at <= at):
            return NOTHING
        self._go_live()
        return OK

    def _revise(self, who: str, _: dict[str, str], __: int) -> str:
        if self.retired:
            return NO
        if who not in self.authors:
            return "NOT_AN_AUTHOR"
        if self.working and self.working.state != "REJECTED":
            return NO
        if self.working:
            self.archive.append((self.working.number, "REJECTED"))
        source = self.live or self.working
        assert source is not None
        self.numbers += 1
        self.working = ModelVersion(self.numbers, source.title, source.tag)
        return OK

    def _retire(self, *_: object) -> str:
        if not self.live or self.retired:
            return NO
        self.retired, self.retire_at = True, None
        self.live.state = "RETIRED"
        if self.working:
            self.archive.append((self.working.number, "REJECTED"))
            self.working = None
        return OK

    def _retire_later(self, _: str, __: dict[str, str], hours: int) -> str:
        if not self.live or self.retired:
            return NO
        if self.retire_at == self.now + hours:
            return NOTHING
        self.retire_at = self.now + hours
        return OK

    def _fire_retirement(self, *_: object) -> str:
        if self.retire_at is None or self.retire_at > self.now:
            return NOTHING
        return self._retire()

    def _delete(self, who: str, _: dict[str, str], __: int) -> str:
        if why := self._worked(who, by_author=True):
            return why
        assert self.working is not None
        if self.live or self.working.state not in {"DRAFT", "REJECTED"}:
            return NO
        self.deleted, self.working = True, None
        return OK


def _said(words: dict[str, str]) -> tuple[str, str]:
    return words["title"], words["tag"]
