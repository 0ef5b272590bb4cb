"""What can be asked of a program; the acting principal and the time are the context's."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from program_svc.domain.content import ProgramContent


@dataclass(frozen=True, slots=True)
class WaiverRequest:
    """Rules of the release gate to set aside, and why; `*` names every rule that can be."""

    rules: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class CreateProgram:
    """Create a program with a first working version."""

    program_id: UUID
    content: ProgramContent
    co_authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UpdateProgram:
    """Take the named fields of the content into the working version."""

    program_id: UUID
    content: ProgramContent
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SubmitProgram:
    """Submit the working version for review."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class WithdrawProgram:
    """Take the working version back from review."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class AssignReviewer:
    """Assign a reviewer to the working version: the one named, or as many as are missing."""

    program_id: UUID
    reviewer: str = ""


@dataclass(frozen=True, slots=True)
class AddReviewComment:
    """Comment on a field of the working version, or answer a comment (about the field that it is about).

    `as_reviewer` tells whether the principal has the role of a reviewer.
    """

    program_id: UUID
    comment_id: UUID
    text: str
    field_path: str = ""
    parent_comment_id: UUID | None = None
    blocking: bool = False
    as_reviewer: bool = False


@dataclass(frozen=True, slots=True)
class ResolveReviewComment:
    """Resolve a comment on the working version; `as_reviewer` as of AddReviewComment."""

    program_id: UUID
    comment_id: UUID
    as_reviewer: bool = False


@dataclass(frozen=True, slots=True)
class RequestChanges:
    """Send the working version back from review to be changed."""

    program_id: UUID
    text: str = ""


@dataclass(frozen=True, slots=True)
class ApproveProgram:
    """Approve the working version."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class RejectProgram:
    """End the working version."""

    program_id: UUID
    reason: str


@dataclass(frozen=True, slots=True)
class ReleaseProgram:
    """Make the approved working version the live one, now or at a time."""

    program_id: UUID
    waiver: WaiverRequest | None = None
    release_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class CancelScheduledRelease:
    """Call the scheduled release off."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class ReviseProgram:
    """Begin the next working version."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class RetireProgram:
    """Retire the live version, now or at a time.

    Whether the successor is a released program is another aggregate's state: the application looks it up before it
    decides and says so in `successor_released`. Not looked up counts as not released.
    """

    program_id: UUID
    reason: str
    successor_program_id: UUID | None = None
    successor_released: bool = False
    effective_time: datetime | None = None
    cancel_offers: bool = False


@dataclass(frozen=True, slots=True)
class DeleteProgram:
    """Delete a program that was never released."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class ImportProgram:
    """Create a program that is live elsewhere and release it, under its waiver, in one revision.

    Its author is the one named, or else the principal.
    """

    program_id: UUID
    content: ProgramContent
    waiver: WaiverRequest | None = None
    author: str = ""
    co_authors: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FireRelease:
    """Release what is scheduled, if its time has come."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class FireRetirement:
    """Retire what is to be retired, if its time has come; `successor_released` as of RetireProgram, looked up again."""

    program_id: UUID
    successor_released: bool = False


@dataclass(frozen=True, slots=True)
class AssignWaiting:
    """Assign the reviewers that the working version waits for, as many as are free."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class ReassignReviews:
    """Give the reviews of those who are registered no more to others."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class RegisterReviewer:
    """Register a principal as a reviewer; None takes as many reviews at once as the rules say."""

    principal: str
    categories: tuple[str, ...] = ()
    max_open_reviews: int | None = None


@dataclass(frozen=True, slots=True)
class UpdateReviewer:
    """Take the named fields (`categories`, `max_open_reviews`) into the reviewer."""

    principal: str
    categories: tuple[str, ...]
    max_open_reviews: int | None
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RemoveReviewer:
    """Remove a reviewer."""

    principal: str


AuthoringCommand = CreateProgram | UpdateProgram | ReviseProgram | DeleteProgram
ReviewCommand = SubmitProgram | WithdrawProgram | RequestChanges | ApproveProgram | RejectProgram
AssignmentCommand = AssignReviewer | AssignWaiting | ReassignReviews
CommentCommand = AddReviewComment | ResolveReviewComment
ReleaseCommand = ReleaseProgram | CancelScheduledRelease | FireRelease | ImportProgram
RetirementCommand = RetireProgram | FireRetirement

Command = AuthoringCommand | ReviewCommand | AssignmentCommand | CommentCommand | ReleaseCommand | RetirementCommand
"""What is asked of a program, by theme."""

ReviewerCommand = RegisterReviewer | UpdateReviewer | RemoveReviewer
"""What is asked of the registry of reviewers."""
