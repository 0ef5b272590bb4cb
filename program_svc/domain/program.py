"""The program: its states, its versions and their reviews."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from uuid import UUID

from chassis.refusal import Violation
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
    SUPERSEDED = 8
    DELETED = 9


@dataclass(frozen=True, slots=True)
class Approval:
    """One reviewer's approval of a version."""

    reviewer: str
    approve_time: datetime


@dataclass(frozen=True, slots=True)
class Assignment:
    """One reviewer's task to review a version."""

    reviewer: str
    assign_time: datetime


@dataclass(frozen=True, slots=True)
class Rejection:
    """The end of a version by a reviewer."""

    reviewer: str
    reason: str
    reject_time: datetime


@dataclass(frozen=True, slots=True)
class ChangeRequest:
    """A reviewer's wish for changes."""

    reviewer: str
    text: str
    request_time: datetime


@dataclass(frozen=True, slots=True)
class ReleaseFailure:
    """A scheduled release that did not pass the release gate when its time came."""

    fail_time: datetime
    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class Waiver:
    """Rules of the release gate that a publisher set aside, as they were named (`*`: all that can be)."""

    rules: tuple[str, ...]
    reason: str
    principal: str


@dataclass(frozen=True, slots=True)
class Version:
    """One numbered version: working, live, or left behind (superseded or rejected).

    `release_time` is when it was released, or, while SCHEDULED, when it is to be. Assignments and the queue
    (`waiting_since`) are of the time in review only; an assignment ends with the reviewer's approval, and the queue is
    in the order in which versions were submitted.
    """

    number: int
    state: State
    content: ProgramContent
    submit_time: datetime | None = None
    approvals: tuple[Approval, ...] = ()
    release_time: datetime | None = None
    waivers: tuple[Waiver, ...] = ()
    release_failure: ReleaseFailure | None = None
    assignments: tuple[Assignment, ...] = ()
    waiting_since: datetime | None = None
    open_blocking_comments: int = 0
    comment_count: int = 0
    rejection: Rejection | None = None
    change_request: ChangeRequest | None = None

    def is_approved_by(self, principal: str) -> bool:
        """Tell whether this reviewer has approved the version."""
        return any(approval.reviewer == principal for approval in self.approvals)

    def is_assigned_to(self, principal: str) -> bool:
        """Tell whether this reviewer is assigned to the version."""
        return any(assignment.reviewer == principal for assignment in self.assignments)


@dataclass(frozen=True, slots=True)
class Retirement:
    """The end of a program, at a time that has come or is to come."""

    reason: str
    successor_program_id: UUID | None
    retire_time: datetime
    cancel_offers: bool = False


@dataclass(frozen=True, slots=True)
class Program:
    """The aggregate: at most one working and at most one live version; neither once it is deleted.

    `definition_revision` and `definition_time` belong to the last revision that changed what a caller may have read
    and built on; a comment, an assignment and an approval that is not the last one needed do not. `public_revision` and
    `public_time` belong to the last revision that changed what readers see: 0 and None before the first release.
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
    version_count: int = 1
    pending_retirement: Retirement | None = None
    public_revision: int = 0
    public_time: datetime | None = None

    @property
    def state(self) -> State:
        """Return the live version's state where there is one, else the working version's; DELETED without either."""
        shown = self.live or self.working
        return State.DELETED if shown is None else shown.state

    @property
    def assigned(self) -> tuple[str, ...]:
        """Return the reviewers who are assigned now, whose load this program is part of."""
        return () if self.working is None else tuple(given.reviewer for given in self.working.assignments)

    def is_by(self, principal: str) -> bool:
        """Tell whether the principal is the author or a co-author."""
        return principal == self.author or principal in self.co_authors
