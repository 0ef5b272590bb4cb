"""Why a command on a program is refused.

Refusal
├── InvalidField             a field of the content breaks its rule
├── ResourceNotFound         no such program, comment, reviewer (`program_not_found`, `comment_not_found`, …)
├── ResourceExists           the id is taken (`program_exists`, `comment_exists`, `reviewer_exists`)
└── ProgramRefusal
    ├── ProgramState         the state does not allow the command
    ├── LockedInReview       the content can't change in review
    ├── ReleaseGateClosed    the content fails the release gate
    ├── RuleNotWaivable      the waiver names a rule that can't be waived
    ├── ReleaseTimePast      a release is scheduled for the future
    ├── RetirementTimePast   a retirement is set for the future
    ├── ProgramRefersToItself
    ├── SuccessorNotReleased
    ├── ReviewerBusy         the reviewer takes no more reviews now
    ├── OpenBlockingComments the version can't be approved or released before they are resolved
    ├── TooManyComments      the version has as many as it may have
    ├── RejectionReasonMissing
    ├── RetirementReasonMissing
    ├── WaiverReasonMissing
    └── PrincipalRefusal
        ├── FourEyes         an author can't review
        ├── NotAnAuthor      only authors edit and submit
        ├── NotAReviewer     who is no author of the program must be a reviewer to comment
        ├── NotAssigned      the review is assigned to others
        ├── AlreadyApprovedBy  one reviewer approves once
        ├── AlreadyAssigned  one reviewer is assigned once
        └── ReviewerNotRegistered
"""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from chassis.refusal import Refusal, ResourceExists, ResourceNotFound, Violation
from program_svc.domain.program import State
from program_svc.domain.reviewer import Candidate

RESOURCE_TYPE: Final = "training.program.v1.Program"
COMMENT_TYPE: Final = "training.program.v1.ReviewComment"
REVIEWER_TYPE: Final = "training.program.v1.Reviewer"


def program_not_found(program_id: UUID) -> ResourceNotFound:
    """Say that there is no such program."""
    return ResourceNotFound(f"There is no program {program_id}.", metadata=_resource(program_id))


def program_exists(program_id: UUID) -> ResourceExists:
    """Say that the id is taken."""
    return ResourceExists(f"The program {program_id} exists already.", metadata=_resource(program_id))


def comment_not_found(comment_id: UUID) -> ResourceNotFound:
    """Say that there is no such comment on the working version."""
    metadata = _resource(comment_id, COMMENT_TYPE)
    return ResourceNotFound(f"There is no comment {comment_id} on the working version.", metadata=metadata)


def comment_exists(comment_id: UUID) -> ResourceExists:
    """Say that the comment's id is taken."""
    return ResourceExists(f"The comment {comment_id} exists already.", metadata=_resource(comment_id, COMMENT_TYPE))


def reviewer_not_found(principal: str) -> ResourceNotFound:
    """Say that the principal is not registered."""
    metadata = _resource(principal, REVIEWER_TYPE)
    return ResourceNotFound(f"{principal} is not registered as a reviewer.", metadata=metadata)


def reviewer_exists(principal: str) -> ResourceExists:
    """Say that the principal is registered."""
    metadata = _resource(principal, REVIEWER_TYPE)
    return ResourceExists(f"{principal} is registered as a reviewer already.", metadata=metadata)


def _resource(name: object, kind: str = RESOURCE_TYPE) -> dict[str, str]:
    return {"resource_type": kind, "resource_name": str(name)}


class ProgramRefusal(Refusal):
    """A refusal by a rule of programs."""


class PrincipalRefusal(ProgramRefusal):
    """A refusal because of who acts or is named; metadata: `principal`."""

    says: ClassVar[str]

    def __init__(self, principal: str) -> None:
        super().__init__(f"{principal} {self.says}.", metadata={"principal": principal})


class ProgramState(ProgramRefusal):
    """The state does not allow the command; metadata: `state`, `command`."""

    reason = "PROGRAM_STATE"

    def __init__(self, state: State, command: object) -> None:
        name = type(command).__name__
        super().__init__(
            f"{name} is not possible while the program is {state.name}.",
            metadata={"state": state.name, "command": name},
        )


class LockedInReview(ProgramRefusal):
    """The content can't change while it is in review."""

    reason = "LOCKED_IN_REVIEW"

    def __init__(self) -> None:
        super().__init__("The working version is in review: its content is locked.")


class FourEyes(PrincipalRefusal):
    """An author or co-author can't review the program."""

    reason = "FOUR_EYES"
    says = "is an author of the program and can't review it"


class NotAnAuthor(PrincipalRefusal):
    """Only the author and the co-authors edit and submit."""

    reason = "NOT_AN_AUTHOR"
    says = "is not an author of the program"


class NotAReviewer(PrincipalRefusal):
    """Who is no author of the program and no reviewer has no say in its review."""

    reason = "NOT_A_REVIEWER"
    says = "is neither an author of the program nor a reviewer"


class NotAssigned(PrincipalRefusal):
    """The review is assigned to others."""

    reason = "NOT_ASSIGNED"
    says = "is not one of the reviewers to whom this version is assigned"


class ReviewerNotRegistered(PrincipalRefusal):
    """The principal is not registered as a reviewer."""

    reason = "REVIEWER_NOT_REGISTERED"
    says = "is not registered as a reviewer"


class ReviewerBusy(ProgramRefusal):
    """The reviewer takes no more reviews now; metadata: `principal`, `open_reviews`, `max_open_reviews`."""

    reason = "REVIEWER_BUSY"

    def __init__(self, candidate: Candidate) -> None:
        super().__init__(
            f"{candidate.principal} has {candidate.open_reviews} open reviews and takes {candidate.max_open_reviews}.",
            metadata={
                "principal": candidate.principal,
                "open_reviews": str(candidate.open_reviews),
                "max_open_reviews": str(candidate.max_open_reviews),
            },
        )


class AlreadyAssigned(PrincipalRefusal):
    """The reviewer is assigned to this version."""

    reason = "ALREADY_ASSIGNED"
    says = "is assigned to this version already"


class OpenBlockingComments(ProgramRefusal):
    """Blocking comments on the version are open; metadata: `count`."""

    reason = "OPEN_BLOCKING_COMMENTS"

    def __init__(self, count: int) -> None:
        super().__init__(f"Blocking comments are open: {count}.", metadata={"count": str(count)})


class TooManyComments(ProgramRefusal):
    """The version has as many comments as it may have; metadata: `limit`."""

    reason = "TOO_MANY_COMMENTS"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A version has at most {limit} comments.", metadata={"limit": str(limit)})


class RejectionReasonMissing(ProgramRefusal):
    """A rejection needs a reason."""

    reason = "REJECTION_REASON_MISSING"

    def __init__(self) -> None:
        super().__init__("A rejection needs a reason.")


class RetirementReasonMissing(ProgramRefusal):
    """A retirement needs a reason."""

    reason = "RETIREMENT_REASON_MISSING"

    def __init__(self) -> None:
        super().__init__("A retirement needs a reason.")


class WaiverReasonMissing(ProgramRefusal):
    """A waiver needs a reason."""

    reason = "WAIVER_REASON_MISSING"

    def __init__(self) -> None:
        super().__init__("A waiver needs a reason.")


class ReleaseTimePast(ProgramRefusal):
    """The time to release at is not in the future; metadata: `release_time`, `now`."""

    reason = "RELEASE_TIME_PAST"

    def __init__(self, release_time: datetime, now: datetime) -> None:
        super().__init__(
            f"The release time {release_time.isoformat()} is not in the future.",
            metadata={"release_time": release_time.isoformat(), "now": now.isoformat()},
        )


class RetirementTimePast(ProgramRefusal):
    """The time to retire at is not in the future; metadata: `effective_time`, `now`."""

    reason = "RETIREMENT_TIME_PAST"

    def __init__(self, effective_time: datetime, now: datetime) -> None:
        super().__init__(
            f"The effective time {effective_time.isoformat()} is not in the future.",
            metadata={"effective_time": effective_time.isoformat(), "now": now.isoformat()},
        )


class ReleaseGateClosed(ProgramRefusal):
    """The content fails the release gate; every violation is listed."""

    reason = "RELEASE_GATE"

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__("The content does not pass the release gate.", violations=violations)


class RuleNotWaivable(ProgramRefusal):
    """A waiver names rules that can't be waived or don't exist; metadata: `rule`, the first of them."""

    reason = "RULE_NOT_WAIVABLE"

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        rules = [violation.found for violation in violations]
        super().__init__(f"Not waivable: {', '.join(rules)}.", metadata={"rule": rules[0]}, violations=violations)


class AlreadyApprovedBy(PrincipalRefusal):
    """The reviewer has approved this version."""

    reason = "ALREADY_APPROVED_BY"
    says = "has approved this version already"


class ProgramRefersToItself(ProgramRefusal):
    """A program is named as its own successor or prerequisite; metadata: `program_id`."""

    reason = "PROGRAM_REFERS_TO_ITSELF"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(
            "A program can't be its own successor or prerequisite.", metadata={"program_id": str(program_id)}
        )


class SuccessorNotReleased(ProgramRefusal):
    """The successor is not a released program; metadata: `program_id`."""

    reason = "SUCCESSOR_NOT_RELEASED"

    def __init__(self, program_id: UUID) -> None:
        super().__init__(
            f"The successor {program_id} is not a released program.", metadata={"program_id": str(program_id)}
        )
