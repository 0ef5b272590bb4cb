"""What can be asked of a program; the acting principal and the time are the context's."""

from dataclasses import dataclass
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
class ApproveProgram:
    """Approve the working version."""

    program_id: UUID


@dataclass(frozen=True, slots=True)
class ReleaseProgram:
    """Make the approved working version the live one."""

    program_id: UUID
    waiver: WaiverRequest | None = None


@dataclass(frozen=True, slots=True)
class RetireProgram:
    """Retire the live version.

    Whether the successor is a released program is another aggregate's state: the application looks it up before it
    decides and says so in `successor_released`. Not looked up counts as not released.
    """

    program_id: UUID
    reason: str
    successor_program_id: UUID | None = None
    successor_released: bool = False


@dataclass(frozen=True, slots=True)
class ImportProgram:
    """Create a program that is live elsewhere and release it, under its waiver, in one revision."""

    program_id: UUID
    content: ProgramContent
    waiver: WaiverRequest | None = None


Command = (
    CreateProgram | UpdateProgram | SubmitProgram | ApproveProgram | ReleaseProgram | RetireProgram | ImportProgram
)
