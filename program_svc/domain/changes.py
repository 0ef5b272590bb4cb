"""What happens to a program; a command's changes make one revision."""

from dataclasses import dataclass
from uuid import UUID

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
    """A reviewer approved the working version; `complete` with the last approval needed."""

    reviewer: str
    complete: bool


@dataclass(frozen=True, slots=True)
class VersionReleased:
    """The working version became the live one."""

    waivers: tuple[Waiver, ...] = ()


@dataclass(frozen=True, slots=True)
class VersionRetired:
    """The live version was retired."""

    retirement: Retirement


@dataclass(frozen=True, slots=True)
class VersionReopened:
    """The working version went back to being drafted: its content changed after approval."""


Change = (
    ProgramCreated
    | ContentChanged
    | VersionSubmitted
    | VersionApproved
    | VersionReleased
    | VersionRetired
    | VersionReopened
)
