import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.refusal import Violation
from program_svc.domain.content import AgendaModule, LocalizedContent, ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.gate_rules import GateRules, Length, Rule
from program_svc.domain.release_gate import violations
from program_svc.domain.step_words import NUMBERS, ORDINALS
from tests.unit.program.samples import COMPLETE, DESCRIPTION, PLAN

RULES = GateRules()
DIVERSE = " ".join(f"{a}{b}{c}x" for a in "bdfgk" for b in "aeiou" for c in "lmnrst")


def rules_broken(**fields: object) -> list[tuple[str, str]]:
    content = replace(COMPLETE, **fields)  # type: ignore[arg-type] # a test names any field
    return [(found.field, found.rule) for found in violations(content, RULES)]


def of_length(length: int) -> str:
    return (DIVERSE * (length // len(DIVERSE) + 1))[: length - 1] + "x"


def test_complete_content_passes() -> None:
    assert violations(COMPLETE, RULES) == ()


def test_a_violation_tells_field_rule_found_and_needed() -> None:
    content = replace(COMPLETE, title="Abcd", description="")
    assert violations(content, RULES) == (
        Violation("title", "title.length", "4 characters", "5 to 200 characters"),
        Violation("description", "description.length", "0 characters", "100 to 20000 characters"),
    )


def test_every_violation_of_the_structure_tells_what_was_found_and_what_is_needed() -> None:
    content = replace(
        COMPLETE,
        language_code="",
        categories=(" ",),
        agenda=COMPLETE.agenda[:1],
        learning_outcomes=(" ",),
        total_duration=timedelta(hours=20),
    )
    missing = replace(content, total_duration=None)
    for broken, found in ((content, "20:00:00"), (missing, "none")):
        assert violations(broken, RULES) == (
            Violation("language_code", "language.present", "none", "the language of the texts"),
            Violation("categories", "categories.present", "0", "at least 1"),
            Violation("agenda", "agenda.modules", "1", "at least 2 modules with a title"),
            Violation("learning_outcomes", "outcomes.present", "0", "at least 1"),
            Violation("total_duration", "agenda.duration_sum", found, "6:00:00, the modules' sum"),
        )


@pytest.mark.parametrize(("length", "broken"), [(4, True), (5, False), (200, False), (201, True)])
def test_title_length(length: int, broken: bool) -> None:  # noqa: FBT001 - a column of the table
    assert rules_broken(title="x" * length) == ([("title", "title.length")] if broken else [])


def test_white_space_around_a_text_is_no_length() -> None:
    assert rules_broken(title="  ab \n ") == [("title", "title.length")]


@pytest.mark.parametrize(("length", "broken"), [(1, False), (500, False), (501, True)])
def test_summary_length(length: int, broken: bool) -> None:  # noqa: FBT001 - a column of the table
    assert rules_broken(summary=of_length(length)) == ([("summary", "summary.length")] if broken else [])


@pytest.mark.parametrize(("length", "broken"), [(99, True), (100, False), (20_000, False), (20_001, True)])
def test_description_length(length: int, broken: bool) -> None:  # noqa: FBT001 - a column of the table
    assert rules_broken(description=of_length(length)) == ([("description", "description.length")] if broken else [])


@pytest.mark.parametrize(("length", "broken"), [(299, True), (300, False), (50_000, False)])
def test_plan_length(length: int, broken: bool) -> None:  # noqa: FBT001 - a column of the table
    plan = "1. a\n2. " + of_length(length - 8)
    assert rules_broken(plan=plan) == ([("plan", "plan.length")] if broken else [])


@pytest.mark.parametrize(
    ("language", "steps"),
    [
        ("en", "1. Talk\n2. Practice"),
        ("en", "(1) Talk\n(2) Practice"),
        ("en", "  - Talk\n  - Practice"),
        ("sv", "• Talk\n• Practice"),
        ("en-GB", "Step 1: talk. Step 2: practice."),
        ("en", "First we talk, then we practise."),
        ("de", "Zuerst ein Vortrag, anschließend Übungen."),
        ("fr", "D'abord un exposé, ensuite des exercices."),
        ("es", "Primero una charla, luego ejercicios."),
        ("it", "Prima una lezione, poi esercizi."),
        ("pt", "Primeiro uma palestra, depois exercícios."),
        ("nl", "Eerst een lezing, daarna oefeningen."),
        ("en", "Part II is practice. Part one is a talk."),
        ("en", "On the first day we talk. The 2nd day is for practice."),
        ("de", "In der ersten Phase ein Vortrag. 2. Phase: Übungen."),
        ("sv", "1) Talk\n2) Practice"),
        ("fr", unicodedata.normalize("NFD", "Étape 1 : exposé. Étape 2 : exercices.")),
    ],
)
def test_a_plan_names_its_steps_in_a_list_or_by_the_words_of_its_language(language: str, steps: str) -> None:
    plan = f"{steps}\n{of_length(300)}"
    assert ("plan", "plan.steps") not in rules_broken(language_code=language, plan=plan, localizations=())


@pytest.mark.parametrize(
    "steps",
    [
        *("We talk and practise.", "1. Everything", "In 2020 and 2021 10.5 people", "1.\n2.\n", "Tag it, Tag it"),
        "In the first part of the day we talk.",
        "The day has a part for talks, and the weeks have days of practice.",
        "In 3 days and 2 weeks you practise, then, next, you finally know.",
        "Step 1 comes before anything else, and after step 1 there is nothing.",
        "First comes everything.",
    ],
)
def test_plan_steps(steps: str) -> None:
    assert rules_broken(plan=f"{steps} {of_length(300)}") == [("plan", "plan.steps")]


def test_a_module_without_a_title_is_none() -> None:
    last = AgendaModule(" ", (), timedelta(hours=12))
    content = replace(COMPLETE, agenda=(COMPLETE.agenda[0], last))
    assert violations(content, RULES) == (
        Violation("agenda", "agenda.modules", "1; without a title: agenda[1]", "at least 2 modules with a title"),
    )
    assert rules_broken(agenda=(*COMPLETE.agenda, AgendaModule())) == []


def test_agenda_modules() -> None:
    one = (AgendaModule("All", (), timedelta(hours=18)),)
    assert rules_broken(agenda=one) == [("agenda", "agenda.modules")]


@pytest.mark.parametrize("total", [None, timedelta(), timedelta(hours=18, microseconds=1)])
def test_agenda_duration_sum(total: timedelta | None) -> None:
    assert rules_broken(total_duration=total) == [("total_duration", "agenda.duration_sum")]


def test_a_module_without_a_duration_adds_nothing_to_the_sum() -> None:
    assert rules_broken(agenda=(*COMPLETE.agenda, AgendaModule("Dinner"))) == []


@pytest.mark.parametrize("outcomes", [(), ("",), (" \n",)])
def test_outcomes_present(outcomes: tuple[str, ...]) -> None:
    assert ("learning_outcomes", "outcomes.present") in rules_broken(learning_outcomes=outcomes)


@pytest.mark.parametrize(
    ("language", "outcome"),
    [
        ("en", "Explain the scheduler"),
        ("EN-gb", "- analyse a failure"),
        ("de", "Erklären, wie der Scheduler entscheidet"),
        ("fr", "Décrire une image"),
        ("es", "Diseñar un clúster"),
        ("it", "Spiegare lo scheduler"),
        ("pt-BR", "Avaliar uma imagem"),
        ("nl", "Uitleggen hoe het werkt"),
        ("de", unicodedata.normalize("NFD", "Erläutern, was geschieht")),
    ],
)
def test_outcomes_start_with_a_measurable_verb_of_their_language(language: str, outcome: str) -> None:
    assert rules_broken(language_code=language, learning_outcomes=(outcome,), localizations=()) == []


@pytest.mark.parametrize(
    ("language", "outcome"), [("en", "Understand the scheduler"), ("en", "Erklären"), ("de", "Explain"), ("en", "42")]
)
def test_outcomes_verb(language: str, outcome: str) -> None:
    broken = rules_broken(language_code=language, learning_outcomes=("", outcome), localizations=())
    assert broken == [("learning_outcomes[0]", "outcomes.verb"), ("learning_outcomes[1]", "outcomes.verb")]


def test_a_language_without_a_list_has_no_rule_on_verbs() -> None:
    assert rules_broken(language_code="sv", learning_outcomes=("Kubernetes",)) == []


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("summary", "summary.word_share"),
        ("description", "description.word_share"),
        ("plan", "plan.word_share"),
    ],
)
def test_word_share(field: str, rule: str) -> None:
    padding = {"summary": "", "description": DESCRIPTION, "plan": PLAN}[field]
    assert rules_broken(**{field: padding + " best" * 30}) == [(field, rule)]


def test_a_word_of_exactly_a_fifth_is_admitted_and_one_more_is_not() -> None:
    assert rules_broken(summary="best Best BEST " + "one two six ten " * 3) == []
    assert rules_broken(summary="best best best best " + "one two six ten " * 3) == [("summary", "summary.word_share")]


def test_a_short_word_may_be_any_share_of_a_text() -> None:
    assert rules_broken(summary="the the the the thing") == []


def test_a_word_said_twice_is_no_repetition() -> None:
    assert rules_broken(summary="cloud for cloud people") == []


@pytest.mark.parametrize("categories", [(), ("",), ("  ",)])
def test_categories_present(categories: tuple[str, ...]) -> None:
    assert rules_broken(categories=categories) == [("categories", "categories.present")]


def test_language_present() -> None:
    assert rules_broken(language_code="") == [("language_code", "language.present")]


def test_localized_texts_are_measured_like_the_base_by_their_own_language() -> None:
    localized = LocalizedContent("de", "Abc", "x" * 501, "kurz", "kurz", ("Erklären", "Explain"))
    assert rules_broken(localizations=(LocalizedContent("fr"), localized)) == [
        ("localizations[1].title", "title.length"),
        ("localizations[1].summary", "summary.length"),
        ("localizations[1].description", "description.length"),
        ("localizations[1].plan", "plan.length"),
        ("localizations[1].plan", "plan.steps"),
        ("localizations[1].learning_outcomes[1]", "outcomes.verb"),
    ]


def test_bounds_and_words_are_configuration() -> None:
    lax = GateRules(
        title=Length(1),
        description=Length(0),
        plan=Length(0, 9),
        minimum_plan_steps=0,
        minimum_modules=0,
        minimum_outcomes=0,
        minimum_categories=0,
        measurable_verbs={"en": frozenset({"know"})},
    )
    content = ProgramContent(title="A", language_code="en", total_duration=timedelta(), learning_outcomes=("Know",))
    assert violations(content, lax) == ()
    assert [str(bounds) for bounds in (lax.title, lax.plan)] == ["at least 1 characters", "at most 9 characters"]


def test_every_rule_but_those_on_size_title_and_categories_can_be_waived() -> None:
    never = {Rule.CONTENT_SIZE, Rule.TITLE_LENGTH, Rule.CATEGORIES_PRESENT}
    assert {rule for rule in Rule if not RULES.can_name(rule)} == never


def test_content_size() -> None:
    assert rules_broken(tags=("ü" * (230 * 1024),)) == []
    assert rules_broken(tags=("ü" * (240 * 1024),)) == [("content", "content.size")]


@pytest.mark.parametrize(("size", "broken"), [(480 * 1024, False), (480 * 1024 + 1, True)])
def test_the_size_of_content_is_measured_as_it_is_published(size: int, broken: bool) -> None:  # noqa: FBT001 - a column of the table
    found = violations(COMPLETE, Rules().measuring(lambda _: size).gate)
    needed = Violation("content", "content.size", f"{size} bytes", "at most 491520 bytes")
    assert found == ((needed,) if broken else ())


def test_the_lists_of_verbs_are_in_the_form_in_which_words_are_looked_up() -> None:
    lists = (RULES.measurable_verbs, RULES.step_words, RULES.step_units, NUMBERS, ORDINALS)
    assert {frozenset(each) for each in lists} == {frozenset({"en", "de", "fr", "es", "it", "pt", "nl"})}
    for words in (words for each in lists for words in each.values()):
        assert all(unicodedata.normalize("NFC", word).lower() == word and word.isalpha() for word in words)
