"""Why a command on a program is refused.

Refusal
├── InvalidField             a field of the content breaks its rule
├── ResourceNotFound         there is no such program (`program_not_found`)
├── ResourceExists           the id is taken (`program_exists`)
└── ProgramRefusal
    ├── ProgramState         the state does not allow the command
    ├── LockedInReview       the content can't change in review
    ├── FourEyes             an author can't review
    ├── NotAnAuthor          only authors edit and submit
    ├── ReleaseGateClosed    the content fails the release gate
    ├── RuleNotWaivable      the waiver names a rule that can't be waived
    ├── AlreadyApprovedBy    one reviewer approves once
    ├── ProgramRefersToItself
    └── SuccessorNotReleased
"""

from typing import Final
from uuid import UUID

from chassis.refusal import Refusal, ResourceExists, ResourceNotFound, Violation
from program_svc.domain.program import State

RESOURCE_TYPE: Final = "training.program.v1.Program"


def program_not_found(program_id: UUID) -> ResourceNotFound:
    """Say that there is no such program."""
    return ResourceNotFound(f"There is no program {program_id}.", metadata=_resource(program_id))


def program_exists(program_id: UUID) -> ResourceExists:
    """Say that the id is taken."""
    return ResourceExists(f"The program {program_id} exists already.", metadata=_resource(program_id))


def _resource(program_id: UUID) -> dict[str, str]:
    return {"resource_type": RESOURCE_TYPE, "resource_name": str(program_id)}


class ProgramRefusal(Refusal):
    """A refusal by a rule of programs."""


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


class FourEyes(ProgramRefusal):
    """An author or co-author can't review the program; metadata: `principal`."""

    reason = "FOUR_EYES"

    def __init__(self, principal: str) -> None:
        super().__init__(
            f"{principal} is an author of the program and can't review it.", metadata={"principal": principal}
        )


class NotAnAuthor(ProgramRefusal):
    """Only the author and the co-authors edit and submit; metadata: `principal`."""

    reason = "NOT_AN_AUTHOR"

    def __init__(self, principal: str) -> None:
        super().__init__(f"{principal} is not an author of the program.", metadata={"principal": principal})


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


class AlreadyApprovedBy(ProgramRefusal):
    """The reviewer has approved this version; metadata: `principal`."""

    reason = "ALREADY_APPROVED_BY"

    def __init__(self, principal: str) -> None:
        super().__init__(f"{principal} has approved this version already.", metadata={"principal": principal})


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
