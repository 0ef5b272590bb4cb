"""What a decision depends on beside the program and the command."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from program_svc.domain.comment import Comment
from program_svc.domain.content import ProgramContent
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.reviewer import Candidate


@dataclass(frozen=True, slots=True)
class Rules:
    """The configured rules of programs.

    `max_open_reviews` is how many reviews a reviewer takes at once who does not say; `comment_limit` is of a version.
    """

    approvals_needed: int = 1
    max_open_reviews: int = 3
    comment_limit: int = 1000
    exempt_fields: frozenset[str] = frozenset({"tags", "cover_image_uri"})
    gate: GateRules = field(default_factory=GateRules)

    def measuring(self, size: Callable[[ProgramContent], int]) -> "Rules":
        """Return the rules with another measure of contents, in bytes."""
        return replace(self, gate=self.gate.measuring(size))


DEFAULT_RULES: Final = Rules()


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, when (aware UTC, in microseconds), under which rules, and what is known beside the program.

    `candidates` are registered reviewers: for a command that assigns some, at least all that are free, the one named
    and those assigned already. `comments` are of the program: at least those that the command names.
    """

    now: datetime
    principal: str
    rules: Rules = DEFAULT_RULES
    candidates: tuple[Candidate, ...] = ()
    comments: tuple[Comment, ...] = ()

    def candidate(self, principal: str) -> Candidate | None:
        """Return a registered reviewer."""
        return next((known for known in self.candidates if known.principal == principal), None)

    def comment(self, comment_id: UUID | None) -> Comment | None:
        """Return a comment."""
        return next((known for known in self.comments if known.comment_id == comment_id), None)
