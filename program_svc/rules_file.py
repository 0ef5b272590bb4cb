"""The rules of programs as a file: TOML, in which everything is optional and nothing unknown is passed over.

approvals_needed = 2
exempt_fields = ["tags"]

[gate]
minimum_modules = 3
title = { minimum = 10 }
never_waivable = ["plan.length"]        # beside size, title and categories, which never can be

[gate.measurable_verbs]
en = { extend = ["juggle"] }            # beside the words that are there
nl = { replace = ["bepalen", "maken"] } # instead of them, or of having no rule
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from chassis.startup import StartFailure
from program_svc.domain.content import CONTENT_FIELDS
from program_svc.domain.context import DEFAULT_RULES, Rules
from program_svc.domain.gate_rules import MAXIMUM_BYTES, GateRules, Length, Rule
from program_svc.domain.registry import MAXIMUM_OPEN_REVIEWS

_WORD: Final = re.compile(r"[^\W\d_]+")


def read_rules(file: Path) -> Rules:
    """Return the rules that a file gives. Raises StartFailure, which lists every problem by its key."""
    try:
        given = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:  # not there, not UTF-8, not TOML
        raise StartFailure(f"the rules in {file} can't be read: {error}") from error
    try:
        return _RulesFile.model_validate(given).rules()
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, detail['loc']))}: {detail['msg'].removeprefix('Value error, ')}"
            for detail in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise StartFailure(f"the rules in {file} are wrong: {'; '.join(problems)}") from None


def _word(text: str) -> str:
    word = unicodedata.normalize("NFC", text).lower()
    if _WORD.fullmatch(word) is None:
        raise ValueError("must be one word, of letters alone")
    return word


def _field_of_content(name: str) -> str:
    if name not in CONTENT_FIELDS:
        raise ValueError(f"must be a field of the content: {', '.join(CONTENT_FIELDS)}")
    return name


_Word = Annotated[str, AfterValidator(_word)]
_FieldOfContent = Annotated[str, AfterValidator(_field_of_content)]
_Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2,3}$")]
_Count = Annotated[int, Field(ge=0, le=1_000_000)]


class _Table(BaseModel):
    """A table of the file; what is not given stays as it is."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    def given(self) -> dict[str, Any]:
        """Return the keys that are given."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class _LengthTable(_Table):
    minimum: _Count = 0
    maximum: _Count = 0

    def of(self, length: Length) -> Length:
        """Return the bounds with what is given here. Raises ValueError for bounds that admit nothing."""
        bounds = replace(length, **self.given())
        if bounds.maximum is not None and bounds.maximum < bounds.minimum:
            raise ValueError(f"the maximum {bounds.maximum} is less than the minimum {bounds.minimum}")
        return bounds


class _WordsTable(_Table):
    extend: Annotated[list[_Word], Field(min_length=1)] | None = None
    replace: Annotated[list[_Word], Field(min_length=1)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.extend is None) == (self.replace is None):
            raise ValueError("needs either `extend` or `replace`")
        return self

    def of(self, words: frozenset[str]) -> frozenset[str]:
        """Return the words with what is given here."""
        return words.union(self.extend or ()) if self.replace is None else frozenset(self.replace)


class _GateTable(_Table):
    maximum_bytes: Annotated[int, Field(ge=1, le=MAXIMUM_BYTES)] = MAXIMUM_BYTES
    title: _LengthTable = _LengthTable()
    summary: _LengthTable = _LengthTable()
    description: _LengthTable = _LengthTable()
    plan: _LengthTable = _LengthTable()
    minimum_plan_steps: _Count = 0
    minimum_modules: _Count = 0
    minimum_outcomes: _Count = 0
    minimum_categories: _Count = 0
    word_share_percent: Annotated[int, Field(ge=1, le=100)] = 100
    word_share_occurrences: _Count = 0
    word_share_exempt_letters: _Count = 0
    measurable_verbs: dict[_Language, _WordsTable] = {}
    step_words: dict[_Language, _WordsTable] = {}
    step_units: dict[_Language, _WordsTable] = {}
    never_waivable: list[Annotated[Rule, Field(strict=False)]] = []

    @model_validator(mode="after")
    def _bounds_admit_something(self) -> Self:
        self.of(DEFAULT_RULES.gate)
        return self

    def of(self, gate: GateRules) -> GateRules:
        """Return the rules of the gate with what is given here."""
        given = self.given()
        for name, value in given.items():
            if isinstance(value, _LengthTable):
                given[name] = _named(name, value, getattr(gate, name))
        for name in given.keys() & {"measurable_verbs", "step_words", "step_units"}:
            given[name] = _words(getattr(gate, name), given[name])
        if "never_waivable" in given:
            given["never_waivable"] = gate.never_waivable.union(given["never_waivable"])
        return replace(gate, **given)


def _named(name: str, table: _LengthTable, length: Length) -> Length:
    try:
        return table.of(length)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None


def _words(known: Mapping[str, frozenset[str]], given: Mapping[str, _WordsTable]) -> Mapping[str, frozenset[str]]:
    return {**known, **{language: table.of(known.get(language, frozenset())) for language, table in given.items()}}


class _RulesFile(_Table):
    approvals_needed: Annotated[int, Field(ge=1, le=20)] = 1
    max_open_reviews: Annotated[int, Field(ge=1, le=MAXIMUM_OPEN_REVIEWS)] = 1
    comment_limit: Annotated[int, Field(ge=1, le=100_000)] = 1
    exempt_fields: list[_FieldOfContent] = []
    gate: _GateTable = _GateTable()

    def rules(self) -> Rules:
        """Return the rules."""
        given = self.given()
        if "exempt_fields" in given:
            given["exempt_fields"] = frozenset(given["exempt_fields"])
        if "gate" in given:
            given["gate"] = self.gate.of(DEFAULT_RULES.gate)
        return replace(DEFAULT_RULES, **given)
