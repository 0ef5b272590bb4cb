"""The rules of the release gate as data: names, bounds, words, and what can be waived."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

from program_svc.domain.content import ProgramContent
from program_svc.domain.content_rules import texts_size
from program_svc.domain.measurable_verbs import MEASURABLE_VERBS
from program_svc.domain.step_words import STEP_UNITS, STEP_WORDS


class Rule(StrEnum):
    """The names of the rules, as violations tell them and waivers name them."""

    CONTENT_SIZE = "content.size"
    TITLE_LENGTH = "title.length"
    SUMMARY_LENGTH = "summary.length"
    SUMMARY_WORD_SHARE = "summary.word_share"
    DESCRIPTION_LENGTH = "description.length"
    DESCRIPTION_WORD_SHARE = "description.word_share"
    PLAN_LENGTH = "plan.length"
    PLAN_STEPS = "plan.steps"
    PLAN_WORD_SHARE = "plan.word_share"
    AGENDA_MODULES = "agenda.modules"
    AGENDA_DURATION_SUM = "agenda.duration_sum"
    OUTCOMES_PRESENT = "outcomes.present"
    OUTCOMES_VERB = "outcomes.verb"
    CATEGORIES_PRESENT = "categories.present"
    LANGUAGE_PRESENT = "language.present"


EVERY_WAIVABLE_RULE: Final = "*"
MAXIMUM_BYTES: Final = 480 * 1024
"""What leaves room in an event, which is up to 512 KiB, for what stands beside the content."""


@dataclass(frozen=True, slots=True)
class Length:
    """Bounds of a text in characters, white space around it not counted."""

    minimum: int
    maximum: int | None = None

    def admits(self, length: int) -> bool:
        """Tell whether a length is within the bounds."""
        return self.minimum <= length and (self.maximum is None or length <= self.maximum)

    def __str__(self) -> str:
        if self.maximum is None:
            return f"at least {self.minimum} characters"
        if self.minimum == 0:
            return f"at most {self.maximum} characters"
        return f"{self.minimum} to {self.maximum} characters"


@dataclass(frozen=True, slots=True)
class GateRules:
    """Everything about the release gate that can be configured.

    `maximum_bytes` is what the content may take as `size` measures it, in bytes: as it is published, where that is
    known (`measuring`), else by its texts. A language without an entry in `measurable_verbs` has no rule on the verbs
    of its outcomes; without one in `step_words` and `step_units`, the steps of its plan are the items of a list.
    A word's share of a text counts from `word_share_occurrences` on, for in a short text a single word is easily a
    fifth of it.
    """

    maximum_bytes: int = MAXIMUM_BYTES
    size: Callable[[ProgramContent], int] = texts_size
    title: Length = Length(5, 200)
    summary: Length = Length(0, 500)
    description: Length = Length(100, 20_000)
    plan: Length = Length(300)
    minimum_plan_steps: int = 2
    minimum_modules: int = 2
    minimum_outcomes: int = 1
    minimum_categories: int = 1
    word_share_percent: int = 20
    word_share_occurrences: int = 3
    word_share_exempt_letters: int = 3
    measurable_verbs: Mapping[str, frozenset[str]] = field(default_factory=lambda: MEASURABLE_VERBS)
    step_words: Mapping[str, frozenset[str]] = field(default_factory=lambda: STEP_WORDS)
    step_units: Mapping[str, frozenset[str]] = field(default_factory=lambda: STEP_UNITS)
    never_waivable: frozenset[Rule] = frozenset({Rule.CONTENT_SIZE, Rule.TITLE_LENGTH, Rule.CATEGORIES_PRESENT})

    def measuring(self, size: Callable[[ProgramContent], int]) -> "GateRules":
        """Return the rules with another measure of contents."""
        return replace(self, size=size)

    def waives(self, named: str, rule: str) -> bool:
        """Tell whether naming `named` in a waiver sets `rule` aside."""
        return rule not in self.never_waivable and named in {rule, EVERY_WAIVABLE_RULE}

    def can_name(self, named: str) -> bool:
        """Tell whether a waiver may name this."""
        return named == EVERY_WAIVABLE_RULE or any(self.waives(named, rule) for rule in Rule)
