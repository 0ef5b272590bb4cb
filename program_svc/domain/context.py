"""What a decision depends on beside the program and the command."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from program_svc.domain.gate_rules import GateRules


@dataclass(frozen=True, slots=True)
class Rules:
    """The configured rules of programs."""

    approvals_needed: int = 1
    exempt_fields: frozenset[str] = frozenset({"tags", "cover_image_uri"})
    gate: GateRules = field(default_factory=GateRules)


DEFAULT_RULES: Final = Rules()


@dataclass(frozen=True, slots=True)
class Context:
    """Who acts, when (aware UTC, in microseconds), and under which rules."""

    now: datetime
    principal: str
    rules: Rules = DEFAULT_RULES
