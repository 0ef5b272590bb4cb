import unicodedata
from dataclasses import replace
from datetime import timedelta

import pytest

from chassis.refusal import Violation
from program_svc.domain.content import AgendaModule, LocalizedContent, ProgramContent
from program_svc.domain.gate_rules import GateRules, Length, Rule
from program_svc.domain.release_gate import violations
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
            Violation("agenda", "agenda.modules", "1", "at least 2 modules"),
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
        ("fr", unicodedata.normalize("NFD", "Étape 1 : exposé. Étape 2 : exercices.")),
    ],
)
def test_a_plan_names_its_steps_in_a_list_or_by_the_words_of_its_language(language: str, steps: str) -> None:
    plan = f"{steps}\n{of_length(300)}"
    assert ("plan", "plan.steps") not in rules_broken(language_code=language, plan=plan, localizations=())


@pytest.mark.parametrize(
    "steps", ["We talk and practise.", "1. Everything", "In 2020 and 2021 10.5 people", "1.\n2.\n", "Tag it, Tag it"]
)
def test_plan_steps(steps: str) -> None:
    assert rules_broken(plan=f"{steps} {of_length(300)}") == [("plan", "plan.steps")]


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


def test_every_rule_but_those_on_title_and_categories_can_be_waived() -> None:
    assert {rule for rule in Rule if not RULES.can_name(rule)} == {Rule.TITLE_LENGTH, Rule.CATEGORIES_PRESENT}


def test_the_lists_of_verbs_are_in_the_form_in_which_words_are_looked_up() -> None:
    assert set(RULES.measurable_verbs) == set(RULES.step_words) == {"en", "de", "fr", "es", "it", "pt", "nl"}
    for words in (*RULES.measurable_verbs.values(), *RULES.step_words.values()):
        assert all(unicodedata.normalize("NFC", word).lower() == word and word.isalpha() for word in words)
