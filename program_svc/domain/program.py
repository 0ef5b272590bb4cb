"""The program: its states, its versions and their approvals."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from program_svc.domain.content import ProgramContent


class State(IntEnum):
    """The state of a program and of each of its versions."""

    UNSPECIFIED = 0
    DRAFT = 1
    IN_REVIEW = 2
    APPROVED = 3
    SCHEDULED = 4
    RELEASED = 5
    RETIRED = 6
    REJECTED = 7


@dataclass(frozen=True, slots=True)
class Approval:
    """One reviewer's approval of a version."""

    reviewer: str
    approve_time: datetime


@dataclass(frozen=True, slots=True)
class Waiver:
    """Rules of the release gate that a publisher set aside, as they were named (`*`: all that can be)."""

    rules: tuple[str, ...]
    reason: str
    principal: str


@dataclass(frozen=True, slots=True)
class Version:
    """One numbered version, either working or live."""

    number: int
    state: State
    content: ProgramContent
    submit_time: datetime | None = None
    approvals: tuple[Approval, ...] = ()
    release_time: datetime | None = None
    waivers: tuple[Waiver, ...] = ()

    def is_approved_by(self, principal: str) -> bool:
        """Tell whether this reviewer has approved the version."""
        return any(approval.reviewer == principal for approval in self.approvals)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The end of a program."""

    reason: str
    successor_program_id: UUID | None
    retire_time: datetime
    cancel_offers: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """The aggregate: at most one working and at most one live version, and never neither.

    `definition_revision` and `definition_time` belong to the last revision that changed what a caller may have read
    and built on; an approval that is not the last one needed does not.
    """

    program_id: UUID
    revision: int
    definition_revision: int
    definition_time: datetime
    create_time: datetime
    update_time: datetime
    author: str
    co_authors: tuple[str, ...]
    working: Version | None
    live: Version | None = None
    retirement: Retirement | None = None

    @property
    def state(self) -> State:
        """Return the live version's state where there is one, else the working version's."""
        shown = self.live or self.working
        return State.UNSPECIFIED if shown is None else shown.state

    def is_by(self, principal: str) -> bool:
        """Tell whether the principal is the author or a co-author."""
        return principal == self.author or principal in self.co_authors
