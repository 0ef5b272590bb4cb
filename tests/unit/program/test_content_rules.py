from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from chassis.refusal import InvalidField
from program_svc.domain.content import AgendaModule, LocalizedContent, Prerequisites, ProgramContent
from program_svc.domain.content_rules import check_content, check_texts
from program_svc.domain.language import is_language_tag, primary_language
from tests.unit.program.samples import COMPLETE, PROGRAM_ID, contents


def faults(content: ProgramContent, co_authors: tuple[str, ...] = ()) -> list[tuple[str, str]]:
    with pytest.raises(InvalidField) as refused:
        check_content(PROGRAM_ID, content, co_authors)
    return [(found.field, found.rule) for found in refused.value.violations]


@pytest.mark.parametrize(
    "code", ["de", "DE", "en-GB", "zh-Hant-TW", "sl-rozaj-biske", "de-1996", "es-419", "zh-yue", "en-u-ca-gregory-x-a"]
)
def test_a_bcp_47_tag_is_a_language(code: str) -> None:
    assert is_language_tag(code)


@pytest.mark.parametrize(
    "code",
    ["", "e", "de_DE", "de-", "-de", "english language", "toolonglang", "de\n", "ſl", "x-private", "de-u"],  # noqa: RUF001 - the long s is the point
)
def test_anything_else_is_not_a_language(code: str) -> None:
    assert not is_language_tag(code)


def test_the_primary_language_is_the_first_part_of_the_tag() -> None:
    assert (primary_language("DE-at"), primary_language("nl")) == ("de", "nl")


def test_the_base_language_is_a_bcp_47_tag() -> None:
    assert faults(ProgramContent(language_code="de_DE")) == [("content.language_code", "language_code.bcp47")]


def test_a_localized_language_is_a_bcp_47_tag() -> None:
    content = ProgramContent(localizations=(LocalizedContent("fr"), LocalizedContent("fr_CA")))
    assert faults(content) == [("content.localizations[1].language_code", "language_code.bcp47")]


def test_a_language_is_localized_once_whatever_its_case() -> None:
    content = ProgramContent(localizations=(LocalizedContent("fr-CA"), LocalizedContent("FR-ca")))
    assert faults(content) == [("content.localizations[1].language_code", "language_code.unique")]


def test_the_base_language_is_not_localized_again() -> None:
    content = ProgramContent(language_code="en", localizations=(LocalizedContent("EN"), LocalizedContent("en-GB")))
    assert faults(content) == [("content.localizations[0].language_code", "language_code.unique")]


@pytest.mark.parametrize("character", ["\0", "\x0b", "\x1b", "\x7f", "\x80", "\x85", "\x9f"])
def test_no_text_has_a_control_character(character: str) -> None:
    dirty = f"a{character}b"
    content = ProgramContent(
        title=dirty,
        summary=dirty,
        description=dirty,
        agenda=(AgendaModule("fine"), AgendaModule(dirty, ("fine", dirty))),
        plan=dirty,
        learning_outcomes=(dirty,),
        audience=dirty,
        prerequisites=Prerequisites(dirty),
        categories=(dirty,),
        tags=("fine", dirty),
        localizations=(LocalizedContent("fr", dirty, dirty, dirty, dirty, (dirty,), dirty),),
        cover_image_uri=dirty,
    )
    found = [fault for fault in faults(content, ("fine", dirty)) if fault[1] != "cover_image_uri.form"]
    assert {rule for _, rule in found} == {"text.control_characters"}
    assert sorted(path for path, _ in found) == sorted(
        [
            *(f"content.{name}" for name in ("title", "summary", "description", "plan", "audience", "cover_image_uri")),
            "content.agenda[1].title",
            "content.agenda[1].topics[1]",
            "content.learning_outcomes[0]",
            "content.categories[0]",
            "content.tags[1]",
            "content.prerequisites.text",
            *(f"content.localizations[0].{name}" for name in ("title", "summary", "description", "plan", "audience")),
            "content.localizations[0].learning_outcomes[0]",
            "co_authors[1]",
        ]
    )


def test_line_feeds_tabs_and_every_script_are_text() -> None:
    check_content(PROGRAM_ID, replace(COMPLETE, plan="1.\tÜben\n2.\u00a0再帰 🎓 \u200f"))


@pytest.mark.parametrize("awarded", ["-0.1", "1000000", "NaN", "Infinity", "1e999999"])
def test_credits_are_a_number_in_range(awarded: str) -> None:
    assert faults(ProgramContent(credits=Decimal(awarded))) == [("content.credits", "credits.range")]


@pytest.mark.parametrize(
    "uri",
    [
        "javascript:alert(1)",
        "cluster.png",
        "//images.example/cluster.png",
        "ftp://images.example/cluster.png",
        "https:///cluster.png",
        "https://:443/cluster.png",
        "https://[images]/cluster.png",
        "https://images.example:99999/",
        "https://images.example:0/",
        "https://images.example/a cluster.png",
        "https://bilder.example/ü.png",
        'https://images.example/">',
        " https://images.example/cluster.png",
    ],
)
def test_a_cover_image_is_an_absolute_http_uri(uri: str) -> None:
    assert faults(ProgramContent(cover_image_uri=uri)) == [("content.cover_image_uri", "cover_image_uri.form")]


@pytest.mark.parametrize(
    "uri", ["", "http://images.example", "HTTPS://images.example:8443/a%20b.png?v=1&w=2#top", "https://[2001:db8::1]/a"]
)
def test_a_cover_image_may_be_anywhere_or_nowhere(uri: str) -> None:
    check_content(PROGRAM_ID, ProgramContent(cover_image_uri=uri))


def test_durations_are_not_negative() -> None:
    past = timedelta(microseconds=-1)
    content = ProgramContent(agenda=(AgendaModule("x", (), past),), total_duration=past)
    assert faults(content) == [
        ("content.agenda[0].duration", "duration.negative"),
        ("content.total_duration", "duration.negative"),
    ]


def test_every_violation_is_told_at_once() -> None:
    content = ProgramContent(title="\0", language_code="?", credits=Decimal(-1))
    assert {path for path, _ in faults(content)} == {"content.title", "content.language_code", "content.credits"}


@given(contents)
def test_content_is_accepted_exactly_as_given(content: ProgramContent) -> None:
    check_content(PROGRAM_ID, content)


def test_texts_beside_the_content_have_no_control_characters() -> None:
    check_texts(("reason", "line\nand\ttab"), ("text", ""))
    with pytest.raises(InvalidField) as refused:
        check_texts(("reason", "a\x00"), ("text", "fine"), ("principal", "\x9f"))
    assert [(found.field, found.found) for found in refused.value.violations] == [
        ("reason", "U+0000 at 1"),
        ("principal", "U+009F at 0"),
    ]
    assert {found.rule for found in refused.value.violations} == {"text.control_characters"}
