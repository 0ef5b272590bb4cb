import re
from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings

from program_svc.domain.commands import UpdateProgram
from program_svc.domain.compare import Difference, compare
from program_svc.domain.content import (
    CONTENT_FIELDS,
    AgendaModule,
    Level,
    LocalizedContent,
    Prerequisites,
    ProgramContent,
    changed_fields,
)
from program_svc.domain.decide import decide
from program_svc.domain.program import State
from tests.unit.program.samples import COMPLETE, OTHER_ID, PROGRAM_ID, contents, context, program

EMPTY = ProgramContent()


def changed(**given_: object) -> list[tuple[str, str | None, str | None]]:
    after = replace(COMPLETE, **given_)  # type: ignore[arg-type] # a test names any field
    return [(found.path, found.before, found.after) for found in compare(COMPLETE, after)]


def test_equal_contents_do_not_differ() -> None:
    assert compare(COMPLETE, replace(COMPLETE)) == ()


def test_a_text_differs_as_a_whole() -> None:
    assert changed(title="Running clusters") == [("title", "Running container platforms", "Running clusters")]


def test_a_field_that_is_empty_has_no_value() -> None:
    assert changed(summary="", audience="") == [
        ("summary", "Three days on operating clusters.", None),
        ("audience", "Administrators", None),
    ]


def test_items_of_lists_are_told_by_position() -> None:
    assert changed(tags=("kubernetes", "containers")) == [
        ("tags[0]", "containers", "kubernetes"),
        ("tags[1]", None, "containers"),
    ]
    assert changed(categories=()) == [("categories[0]", "cloud", None)]
    assert changed(learning_outcomes=("", "Build an image")) == [
        ("learning_outcomes[0]", "Explain how a scheduler places work", ""),
        ("learning_outcomes[2]", "Diagnose a failed rollout", None),
    ]


def test_modules_are_told_field_by_field() -> None:
    first, second = COMPLETE.agenda
    agenda = (
        replace(first, topics=("Layers",), duration=timedelta(minutes=90)),
        replace(second, title="Workloads"),
        AgendaModule(),
    )
    assert changed(agenda=agenda) == [
        ("agenda[0].topics[1]", "Registries", None),
        ("agenda[0].duration", "21600s", "5400s"),
        ("agenda[1].title", "Clusters", "Workloads"),
        ("agenda[2].title", None, ""),
    ]


def test_localized_texts_are_told_by_language_whatever_their_order() -> None:
    german, french = LocalizedContent("de", title="Container-Plattformen betreiben"), LocalizedContent("fr", plan="Un")
    assert changed(localizations=(french, german)) == [
        ("localizations[fr].language_code", None, "fr"),
        ("localizations[fr].plan", None, "Un"),
    ]
    assert changed(
        localizations=(replace(german, learning_outcomes=("Bauen",), summary="Kurz", description="Lang"),)
    ) == [
        ("localizations[de].summary", None, "Kurz"),
        ("localizations[de].description", None, "Lang"),
        ("localizations[de].learning_outcomes[0]", None, "Bauen"),
    ]
    assert changed(localizations=(replace(german, title="", audience="Alle"),)) == [
        ("localizations[de].title", "Container-Plattformen betreiben", None),
        ("localizations[de].audience", None, "Alle"),
    ]


def test_prerequisites_are_told_by_text_and_program() -> None:
    assert changed(prerequisites=None) == [
        ("prerequisites.text", "Linux at the command line", None),
        ("prerequisites.program_ids[0]", str(OTHER_ID), None),
    ]
    assert changed(prerequisites=Prerequisites("", (PROGRAM_ID,))) == [
        ("prerequisites.text", "Linux at the command line", None),
        ("prerequisites.program_ids[0]", str(OTHER_ID), str(PROGRAM_ID)),
    ]
    assert compare(EMPTY, replace(EMPTY, prerequisites=Prerequisites())) == ()


def test_levels_are_told_by_name_and_languages_by_code() -> None:
    assert changed(level=Level.EXPERT, language_code="en-GB") == [
        ("level", "INTERMEDIATE", "EXPERT"),
        ("language_code", "en", "en-GB"),
    ]
    assert changed(level=Level.UNSPECIFIED, language_code="") == [
        ("level", "INTERMEDIATE", None),
        ("language_code", "en", None),
    ]


@pytest.mark.parametrize(
    ("duration", "text"),
    [
        (timedelta(), "0s"),
        (timedelta(hours=10), "36000s"),
        (timedelta(seconds=1, milliseconds=500), "1.5s"),
        (timedelta(microseconds=1), "0.000001s"),
        (timedelta(days=999_999_999, microseconds=1), "86399999913600.000001s"),
        (timedelta(seconds=-1, microseconds=-1), "-1.000001s"),
        (None, None),
    ],
)
def test_durations_are_told_in_seconds(duration: timedelta | None, text: str | None) -> None:
    assert changed(total_duration=duration) == [("total_duration", "64800s", text)]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("2.50", "2.5"),
        ("100", "100"),
        ("1E+2", "100"),
        ("0", "0"),
        ("0.00", "0"),
        ("-0", "0"),
        ("-0.00", "0"),
        ("NaN", "NaN"),
    ],
)
def test_credits_are_told_plainly(number: str, text: str) -> None:
    assert changed(credits=Decimal(number)) == [("credits", "1.5", text)]
    assert changed(credits=Decimal("1.50")) == []
    nothing = replace(EMPTY, credits=Decimal(0))
    assert compare(nothing, replace(EMPTY, credits=Decimal("-0"))) == ()


def test_differences_come_in_the_order_of_the_content() -> None:
    heads = [found.path.partition("[")[0].partition(".")[0] for found in compare(EMPTY, COMPLETE)]
    order = [field.name for field in fields(ProgramContent)]
    assert heads == sorted(heads, key=order.index)
    assert set(heads) == set(order)


@settings(max_examples=50)
@given(contents, contents)
def test_a_comparison_is_the_mirror_image_of_the_one_the_other_way_round(
    one: ProgramContent, other: ProgramContent
) -> None:
    mirrored = {Difference(found.path, found.after, found.before) for found in compare(other, one)}
    assert mirrored == set(compare(one, other))


@settings(max_examples=50)
@given(contents, contents)
def test_contents_differ_exactly_where_their_values_do(one: ProgramContent, other: ProgramContent) -> None:
    assert compare(one, one) == ()
    had = {found.path: found.after for found in compare(EMPTY, one)}
    has = {found.path: found.after for found in compare(EMPTY, other)}
    for found in compare(one, other):
        assert found.before != found.after
        assert (had.pop(found.path, None), has.pop(found.path, None)) == (found.before, found.after)
    assert had == has


@settings(max_examples=50)
@given(contents, contents)
def test_the_fields_that_an_update_changes_are_those_that_a_comparison_tells(
    one: ProgramContent, other: ProgramContent
) -> None:
    mixed = replace(one, tags=other.tags, localizations=tuple(reversed(one.localizations)), credits=other.credits)
    for after in (one, other, mixed):
        heads = dict.fromkeys(re.split(r"[.[]", found.path)[0] for found in compare(one, after))
        assert changed_fields(one, after) == tuple(heads)


def test_an_update_to_prerequisites_that_say_nothing_changes_nothing() -> None:
    for before, after in ((None, Prerequisites()), (Prerequisites(), None)):
        one, other = replace(COMPLETE, prerequisites=before), replace(COMPLETE, prerequisites=after)
        assert compare(one, other) == ()
        assert decide(program(State.DRAFT, one), UpdateProgram(PROGRAM_ID, other, CONTENT_FIELDS), context()) == ()
