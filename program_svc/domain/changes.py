"""What happens to a program or a reviewer; a command's changes make one revision."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from chassis.refusal import Violation
from program_svc.domain.comment import Comment
from program_svc.domain.content import ProgramContent
from program_svc.domain.program import Retirement, Waiver


@dataclass(frozen=True, slots=True)
class ProgramCreated:
    """The program was created, with its first working version."""

    program_id: UUID
    author: str
    co_authors: tuple[str, ...]
    content: ProgramContent


@dataclass(frozen=True, slots=True)
class ContentChanged:
    """The content of the working version changed, in these fields."""

    content: ProgramContent
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VersionSubmitted:
    """The working version was submitted for review."""


@dataclass(frozen=True, slots=True)
class VersionApproved:
    """A reviewer approved the working version, and is assigned no more; `complete` with the last approval needed."""

    reviewer: str
    complete: bool


@dataclass(frozen=True, slots=True)
class VersionReleased:
    """The working version became the live one."""

    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionRetired:
    """The live version was retired, and the working one, if there was one, ended with it.

    `successor_dropped` tells that it was to have a successor that had been retired by then.
    """

    retirement: Retirement
    successor_dropped: bool = False


@dataclass(frozen=True, slots=True)
class VersionReopened:
    """The working version went back to being drafted: its content changed after approval."""


@dataclass(frozen=True, slots=True)
class VersionWithdrawn:
    """The working version was taken back from review."""


@dataclass(frozen=True, slots=True)
class ChangesRequested:
    """A reviewer asked for changes; the working version went back to being drafted."""

    reviewer: str
    text: str


@dataclass(frozen=True, slots=True)
class VersionRejected:
    """A reviewer ended the working version."""

    reviewer: str
    reason: str


@dataclass(frozen=True, slots=True)
class ReviewersAssigned:
    """Reviewers were assigned to the working version."""

    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewersDropped:
    """Reviewers were relieved of the working version."""

    reviewers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReviewQueued:
    """The working version began to wait for reviewers."""


@dataclass(frozen=True, slots=True)
class ReviewDequeued:
    """The working version has the reviewers it waited for."""


@dataclass(frozen=True, slots=True)
class CommentAdded:
    """A comment was made on the working version."""

    comment: Comment


@dataclass(frozen=True, slots=True)
class CommentResolved:
    """A comment on the working version was resolved."""

    comment_id: UUID
    resolver: str
    blocking: bool


@dataclass(frozen=True, slots=True)
class ReleaseScheduled:
    """The working version is to be released at a time."""

    release_time: datetime
    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class ReleaseUnscheduled:
    """The scheduled release was called off."""


@dataclass(frozen=True, slots=True)
class ReleaseFailed:
    """The scheduled release did not pass the release gate."""

    violations: tuple[Violation, ...]


@dataclass(frozen=True, slots=True)
class VersionRevised:
    """The next working version was begun, with what the live one says or else the rejected one."""

    version: int


@dataclass(frozen=True, slots=True)
class RetirementScheduled:
    """The live version is to be retired at a time."""

    retirement: Retirement


@dataclass(frozen=True, slots=True)
class ProgramDeleted:
    """The program was deleted; what is left are its id and its authors."""


@dataclass(frozen=True, slots=True)
class ReviewerRegistered:
    """A principal was registered as a reviewer, for the first time or again."""

    principal: str
    categories: tuple[str, ...]
    max_open_reviews: int


@dataclass(frozen=True, slots=True)
class ReviewerUpdated:
    """What the reviewer reviews changed."""

    categories: tuple[str, ...]
    max_open_reviews: int


@dataclass(frozen=True, slots=True)
class ReviewerRemoved:
    """The reviewer was removed."""


ReviewChange = (
    VersionSubmitted | VersionApproved | VersionReopened | VersionWithdrawn | ChangesRequested | VersionRejected
)
AssignmentChange = ReviewersAssigned | ReviewersDropped | ReviewQueued | ReviewDequeued
CommentChange = CommentAdded | CommentResolved
ScheduleChange = ReleaseScheduled | ReleaseUnscheduled | ReleaseFailed

WorkingChange = ContentChanged | ReviewChange | AssignmentChange | CommentChange | ScheduleChange
"""What happens to the working version alone."""

Change = (
    ProgramCreated
    | WorkingChange
    | VersionReleased
    | VersionRevised
    | RetirementScheduled
    | VersionRetired
    | ProgramDeleted
)
"""What happens to a program."""

ReviewerChange = ReviewerRegistered | ReviewerUpdated | ReviewerRemoved
"""What happens to a reviewer."""
