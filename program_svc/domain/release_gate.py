"""The release gate: whether the content is complete and good enough for readers.

Everything readers see is measured: the base texts and the localized ones, each by its own language.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Final

from chassis.refusal import Violation
from program_svc.domain.commands import WaiverRequest
from program_svc.domain.content import LocalizedContent, ProgramContent
from program_svc.domain.errors import ReleaseGateClosed, RuleNotWaivable
from program_svc.domain.gate_rules import GateRules, Length, Rule
from program_svc.domain.language import primary_language
from program_svc.domain.named_steps import named_steps
from program_svc.domain.program import Program, Waiver

_WORD: Final = re.compile(r"[^\W\d_]+")
_LIST_ITEM: Final = re.compile(r"^\s*(?:\(?\d{1,3}[.):]|[-*•\u2013])\s+\S", re.MULTILINE)


def violations(content: ProgramContent, rules: GateRules) -> tuple[Violation, ...]:
    """Return every violation of the gate's rules."""
    return tuple(_violations(content, rules))


def release_warnings(program: Program, rules: GateRules) -> tuple[Violation, ...]:
    """Return what the gate would refuse of the working version now, without any waiver."""
    return () if program.working is None else violations(program.working.content, rules)


def enforce(content: ProgramContent, waivers: tuple[Waiver, ...], rules: GateRules) -> None:
    """Refuse content that violates rules which are not waived, naming all of them."""
    standing = standing_violations(content, waivers, rules)
    if standing:
        raise ReleaseGateClosed(standing)


def standing_violations(
    content: ProgramContent, waivers: tuple[Waiver, ...], rules: GateRules
) -> tuple[Violation, ...]:
    """Return every violation of a rule that is not waived."""
    named = {rule for waiver in waivers for rule in waiver.rules}
    return tuple(
        violation
        for violation in _violations(content, rules)
        if not any(rules.waives(name, violation.rule) for name in named)
    )


def check_waiver(request: WaiverRequest, rules: GateRules) -> None:
    """Refuse a waiver that names a rule which can't be waived or does not exist."""
    wrong = tuple(
        Violation(f"waiver.rules[{at}]", "rule.waivable", name, "a rule of the release gate that can be waived, or *")
        for at, name in enumerate(request.rules)
        if not rules.can_name(name)
    )
    if wrong:
        raise RuleNotWaivable(wrong)


def _violations(content: ProgramContent, rules: GateRules) -> Iterator[Violation]:
    base = LocalizedContent(
        content.language_code,
        content.title,
        content.summary,
        content.description,
        content.plan,
        content.learning_outcomes,
    )
    yield from _size(content, rules)
    yield from _texts("", base, rules)
    yield from _structure(content, rules)
    for at, localized in enumerate(content.localizations):
        yield from _texts(f"localizations[{at}].", localized, rules)


def _size(content: ProgramContent, rules: GateRules) -> Iterator[Violation]:
    size = rules.size(content)
    if size > rules.maximum_bytes:
        yield Violation("content", Rule.CONTENT_SIZE, f"{size} bytes", f"at most {rules.maximum_bytes} bytes")


def _structure(content: ProgramContent, rules: GateRules) -> Iterator[Violation]:
    if not content.language_code:
        yield Violation("language_code", Rule.LANGUAGE_PRESENT, "none", "the language of the texts")
    named = sum(bool(category.strip()) for category in content.categories)
    if named < rules.minimum_categories:
        needed = f"at least {rules.minimum_categories}"
        yield Violation("categories", Rule.CATEGORIES_PRESENT, str(named), needed)
    untitled = [f"agenda[{at}]" for at, module in enumerate(content.agenda) if not module.title.strip()]
    titled = len(content.agenda) - len(untitled)
    if titled < rules.minimum_modules:
        found = f"{titled}; without a title: {', '.join(untitled)}" if untitled else str(titled)
        needed = f"at least {rules.minimum_modules} modules with a title"
        yield Violation("agenda", Rule.AGENDA_MODULES, found, needed)
    stated = sum(bool(outcome.strip()) for outcome in content.learning_outcomes)
    if stated < rules.minimum_outcomes:
        needed = f"at least {rules.minimum_outcomes}"
        yield Violation("learning_outcomes", Rule.OUTCOMES_PRESENT, str(stated), needed)
    total = sum((module.duration or timedelta() for module in content.agenda), timedelta())
    if content.total_duration != total:
        found = "none" if content.total_duration is None else str(content.total_duration)
        yield Violation("total_duration", Rule.AGENDA_DURATION_SUM, found, f"{total}, the modules' sum")


def _texts(path: str, texts: LocalizedContent, rules: GateRules) -> Iterator[Violation]:
    """Check the texts of one language; in another than the base (with a path), an absent one falls back."""
    for name, text, bounds, rule in (
        ("title", texts.title, rules.title, Rule.TITLE_LENGTH),
        ("summary", texts.summary, rules.summary, Rule.SUMMARY_LENGTH),
        ("description", texts.description, rules.description, Rule.DESCRIPTION_LENGTH),
        ("plan", texts.plan, rules.plan, Rule.PLAN_LENGTH),
    ):
        if text or not path:
            yield from _length(path + name, text, bounds, rule)
    if texts.plan or not path:
        yield from _steps(f"{path}plan", texts, rules)
    yield from _word_share(f"{path}summary", texts.summary, Rule.SUMMARY_WORD_SHARE, rules)
    yield from _word_share(f"{path}description", texts.description, Rule.DESCRIPTION_WORD_SHARE, rules)
    yield from _word_share(f"{path}plan", texts.plan, Rule.PLAN_WORD_SHARE, rules)
    yield from _verbs(path, texts, rules)


def _length(path: str, text: str, bounds: Length, rule: Rule) -> Iterator[Violation]:
    length = len(text.strip())
    if not bounds.admits(length):
        yield Violation(path, rule, f"{length} characters", str(bounds))


def _steps(path: str, texts: LocalizedContent, rules: GateRules) -> Iterator[Violation]:
    language = primary_language(texts.language_code)
    named = named_steps(
        texts.plan,
        language,
        units=rules.step_units.get(language, frozenset()),
        words=rules.step_words.get(language, frozenset()),
    )
    steps = max(named, len(_LIST_ITEM.findall(texts.plan)))
    if steps < rules.minimum_plan_steps:
        needed = f"at least {rules.minimum_plan_steps} named steps, such as a numbered list"
        yield Violation(path, Rule.PLAN_STEPS, str(steps), needed)


def _word_share(path: str, text: str, rule: Rule, rules: GateRules) -> Iterator[Violation]:
    words = _words(text)
    for word, count in Counter(words).most_common():
        if count < rules.word_share_occurrences or count * 100 <= len(words) * rules.word_share_percent:
            return
        if len(word) > rules.word_share_exempt_letters:
            needed = f"no word over {rules.word_share_percent} % of the text"
            yield Violation(path, rule, f"{word}: {count} of {len(words)} words", needed)


def _verbs(path: str, texts: LocalizedContent, rules: GateRules) -> Iterator[Violation]:
    verbs = rules.measurable_verbs.get(primary_language(texts.language_code))
    if verbs is None:
        return
    for at, outcome in enumerate(texts.learning_outcomes):
        first = next(iter(_words(outcome)), "")
        if first not in verbs:
            needed = f"a measurable verb at its start ({primary_language(texts.language_code)})"
            yield Violation(f"{path}learning_outcomes[{at}]", Rule.OUTCOMES_VERB, first or "no word", needed)


def _words(text: str) -> list[str]:
    # Composed, or an umlaut typed as two characters would end the word.
    return _WORD.findall(unicodedata.normalize("NFC", text).lower())
