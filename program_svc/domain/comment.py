"""A comment on a field of a version."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Comment:
    """What somebody said of a field of a version; an answer is about the field of its parent.

    A blocking one keeps the version from being approved until it is resolved.
    """

    comment_id: UUID
    program_id: UUID
    version: int
    parent_comment_id: UUID | None
    field_path: str
    text: str
    blocking: bool
    author: str
    create_time: datetime
    resolver: str = ""
    resolve_time: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether nobody has resolved it."""
        return self.resolve_time is None
