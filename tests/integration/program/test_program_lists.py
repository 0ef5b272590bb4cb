from typing import Any
from uuid import uuid4

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1.events_pb2 import ProgramRevisionRecord
from training.type.v1.vocabulary_pb2 import VIEW_BASIC, VIEW_FULL

from tests.integration.program.desk import ANNA, PIA, RAJ, Desk, content, person
from tests.integration.refusals import refused

HOSTILE = [
    "'",
    "''; DROP TABLE program; --",
    "a' | 'b",
    "a & | !b <-> (c):*",
    "\\",
    "%_%",
    "{a,b}",
    '"',
    ":*",
    "🦊",
    "x" * 100,
]


async def test_programs_are_listed_by_the_states_of_both_their_versions(desk: Desk) -> None:
    tag = uuid4().hex
    draft = await desk.draft(categories=[tag])
    live = await desk.released(categories=[tag])
    await desk.do("ReviseProgram", ANNA, live.program_id)
    both = {draft.program_id, live.program_id}
    assert set(await desk.ids(category=tag, states=[pb.Program.STATE_DRAFT])) == both
    assert await desk.ids(category=tag, states=[pb.Program.STATE_RELEASED]) == [live.program_id]
    chosen = [pb.Program.STATE_RELEASED, pb.Program.STATE_DRAFT]
    assert set(await desk.ids(category=tag, states=chosen)) == both
    assert await desk.ids(category=tag, states=[pb.Program.STATE_SUPERSEDED]) == []


@pytest.mark.parametrize("states", [[0], [pb.Program.STATE_DRAFT, 0], [99]])
async def test_no_list_is_of_programs_in_no_state(desk: Desk, states: list[Any]) -> None:
    told = await refused(desk.ask("ListPrograms", ANNA, service.ListProgramsRequest(states=states)))
    assert (told.reason, told.fields) == ("INVALID_FIELD", [f"states[{len(states) - 1}]"])


async def test_programs_are_listed_by_each_of_their_authors(desk: Desk) -> None:
    tag = uuid4().hex
    made = await desk.draft(categories=[tag])
    for author, found in {"anna": [made.program_id], "ben": [made.program_id], "ann": [], "raj": []}.items():
        assert await desk.ids(author=author, category=tag) == found, author


async def test_large_programs_are_read_page_by_page_and_not_in_one_message(desk: Desk) -> None:
    tag, long = uuid4().hex, "ä" * 48_000
    localized = [pb.LocalizedContent(language_code=code, description=long, plan=long) for code in ("de", "fr", "it")]
    made = [(await desk.draft(categories=[tag], localizations=localized)).program_id for _ in range(8)]
    request = service.ListProgramsRequest(category=tag, view=VIEW_FULL)
    sizes, found = list[int](), list[str]()
    while True:
        page = await desk.ask("ListPrograms", ANNA, request)
        sizes.append(page.ByteSize())
        found += [each.program_id for each in page.programs]
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert found == made[::-1]
    assert len(sizes) == 3
    assert max(sizes) < 2.1 * 1024**2
    cards = await desk.ask("ListPrograms", ANNA, service.ListProgramsRequest(category=tag))
    assert (len(cards.programs), cards.next_page_token) == (8, "")
    batch = service.BatchGetProgramsRequest(program_ids=made)
    told = await refused(desk.ask("BatchGetPrograms", ANNA, batch))
    assert (told.reason, told.fields) == ("INVALID_FIELD", ["program_ids"])
    batch.view = VIEW_BASIC
    assert [each.program_id for each in (await desk.ask("BatchGetPrograms", ANNA, batch)).programs] == made
    fewer = service.BatchGetProgramsRequest(program_ids=made[:6])
    assert [each.program_id for each in (await desk.ask("BatchGetPrograms", ANNA, fewer)).programs] == made[:6]


async def test_programs_are_listed_latest_change_first_page_by_page(desk: Desk) -> None:
    tag = uuid4().hex
    made = [(await desk.draft(categories=[tag])).program_id for _ in range(7)]
    await desk.do("SubmitProgram", ANNA, made[2])
    expected = [made[2], *(each for each in reversed(made) if each != made[2])]
    assert await desk.ids(category=tag, page_size=3) == expected
    first = service.ListProgramsRequest(category=tag, page_size=3)
    token = (await desk.ask("ListPrograms", ANNA, first)).next_page_token
    other = service.ListProgramsRequest(category="another", page_size=3, page_token=token)
    assert (await refused(desk.ask("ListPrograms", ANNA, other))).reason == "PAGE_TOKEN_MALFORMED"


async def test_programs_are_found_by_the_beginnings_of_words_of_their_titles_in_any_language(desk: Desk) -> None:
    tag = uuid4().hex
    localized = pb.LocalizedContent(language_code="de", title="Straßenbau für Anfänger")
    made = await desk.draft("Road-building, step_by_step (C++/Node.js)", categories=[tag], localizations=[localized])

    async def found(text: str) -> bool:
        return await desk.ids(category=tag, text=text) == [made.program_id]

    for text in ("road", "ROAD build", "buil ste", "node", "js", "c++", "anfän", "Anfa\u0308n", "STRASS", "step_by"):
        assert await found(text), text
    for text in ("oad", "road tram", "inger", "roads"):
        assert not await found(text), text
    await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(title="Tram driving"))
    assert await found("tram")
    assert not await found("road")


@pytest.mark.parametrize("text", HOSTILE)
async def test_whatever_is_looked_for_is_a_word_and_nothing_else(desk: Desk, text: str) -> None:
    made = await desk.draft(f"A title of {text} and more", categories=[text])
    assert made.program_id in await desk.ids(category=text, page_size=500)
    found = await desk.ids(text=text, page_size=500)
    has_words = any(character.isalnum() for character in text)
    assert (made.program_id in found) == has_words
    assert await desk.ids(author=text) == await desk.ids(reviewer=text) == []
    assert made.program_id in await desk.ids(author="anna", category=text)


@pytest.mark.parametrize("name", ["author", "reviewer", "category", "text"])
async def test_control_characters_are_refused_by_name(desk: Desk, name: str) -> None:
    request = service.ListProgramsRequest()
    setattr(request, name, "a\0b")
    told = await refused(desk.ask("ListPrograms", ANNA, request))
    assert (told.reason, told.fields) == ("INVALID_FIELD", [name])


async def test_programs_are_listed_by_when_they_changed(desk: Desk) -> None:
    tag = uuid4().hex
    made = [await desk.draft(categories=[tag]) for _ in range(3)]
    ids = [each.program_id for each in made]
    middle = made[1].update_time
    assert await desk.ids(category=tag, update_interval=Interval(start_time=middle)) == [ids[2], ids[1]]
    assert await desk.ids(category=tag, update_interval=Interval(end_time=middle)) == [ids[0]]
    within = Interval(start_time=middle, end_time=made[2].update_time)
    assert await desk.ids(category=tag, update_interval=within) == [ids[1]]


@pytest.mark.parametrize(
    ("interval", "field"),
    [
        (Interval(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1)), "update_interval"),
        (Interval(start_time=Timestamp(seconds=1 << 50)), "update_interval.start_time"),
        (Interval(end_time=Timestamp(seconds=1, nanos=-1)), "update_interval.end_time"),
    ],
)
async def test_impossible_intervals_are_refused(desk: Desk, interval: Interval, field: str) -> None:
    told = await refused(desk.ask("ListPrograms", ANNA, service.ListProgramsRequest(update_interval=interval)))
    assert (told.reason, told.fields) == ("INVALID_FIELD", [field])


async def test_all_filters_hold_together(desk: Desk) -> None:
    tag, author = uuid4().hex, person("dora", "author")
    request = service.CreateProgramRequest(content=content("Kayaking", categories=[tag]))
    made = (await desk.ask("CreateProgram", author, request)).program
    await desk.do("SubmitProgram", author, made.program_id)
    filters: dict[str, Any] = {
        "states": [pb.Program.STATE_IN_REVIEW],
        "author": "dora",
        "category": tag,
        "text": "kay",
        "awaiting_assignment": True,
        "update_interval": Interval(start_time=made.create_time),
    }
    assert await desk.ids(**filters) == [made.program_id]
    for name, other in {"author": "anna", "category": "x", "text": "canoe", "states": [1], "reviewer": "raj"}.items():
        assert await desk.ids(**{**filters, name: other}) == [], name


async def test_a_list_shows_cards_unless_it_is_asked_for_everything(desk: Desk) -> None:
    tag = uuid4().hex
    made = await desk.released(categories=[tag])
    [card] = (await desk.ask("ListPrograms", RAJ, service.ListProgramsRequest(category=tag))).programs
    assert (card.live.content.title, card.live.content.plan) == (made.live.content.title, "")
    full = service.ListProgramsRequest(category=tag, view=VIEW_FULL)
    assert list((await desk.ask("ListPrograms", RAJ, full)).programs) == [made]


async def test_history_tells_who_did_what_when_and_which_fields_changed(desk: Desk) -> None:
    made = await desk.draft()
    await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(title="New", tags=["a"]))
    await desk.do("SubmitProgram", ANNA, made.program_id)
    await desk.do("RejectProgram", RAJ, made.program_id, reason="Not ours.")
    told = await desk.history(made.program_id)
    assert [(each.revision, each.actor, each.command) for each in told] == [
        (1, "anna", "CreateProgram"),
        (2, "anna", "UpdateProgram"),
        (3, "anna", "SubmitProgram"),
        (4, "raj", "RejectProgram"),
    ]
    assert list(told[1].changed_fields) == ["title", "tags"]
    assert not told[1].changes[0].content_changed.HasField("content")
    assert told[3].changes[0].rejected.reason == "Not ours."
    times = [each.time.ToDatetime() for each in told]
    assert times == sorted(times)
    request = service.ListProgramHistoryRequest(program_id=made.program_id, page_size=3, view=VIEW_FULL)
    page = await desk.ask("ListProgramHistory", PIA, request)
    assert [each.revision for each in page.entries] == [4, 3, 2]
    assert page.entries[2].changes[0].content_changed.content.title == "New"
    request.page_token = page.next_page_token
    rest = await desk.ask("ListProgramHistory", PIA, request)
    assert ([each.revision for each in rest.entries], rest.next_page_token) == ([1], "")


async def test_versions_are_listed_page_by_page(desk: Desk) -> None:
    made = await desk.in_review()
    for number in range(4):
        await desk.do("RejectProgram", RAJ, made.program_id, reason=f"No {number}.")
        await desk.do("ReviseProgram", ANNA, made.program_id)
        await desk.do("SubmitProgram", ANNA, made.program_id)
    request = service.ListProgramVersionsRequest(program_id=made.program_id, page_size=2)
    numbers = []
    while True:
        page = await desk.ask("ListProgramVersions", ANNA, request)
        numbers.append([each.number for each in page.versions])
        if not page.next_page_token:
            break
        request.page_token = page.next_page_token
    assert numbers == [[5, 4], [3, 2], [1]]


async def test_the_versions_say_what_the_journal_says_of_them(desk: Desk) -> None:
    made = await desk.in_review("First")
    await desk.do("RejectProgram", RAJ, made.program_id, reason="No.")
    for title in ("Second", "Third"):
        await desk.do("ReviseProgram", ANNA, made.program_id)
        await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(title=title))
        await desk.do("SubmitProgram", ANNA, made.program_id)
        await desk.do("ApproveProgram", RAJ, made.program_id)
        await desk.do("ReleaseProgram", PIA, made.program_id)
    rows = await desk.rows("SELECT private FROM journal WHERE aggregate_id = $1 ORDER BY revision", made.program_id)
    number, told = 1, dict[int, pb.ProgramContent]()
    for row in rows:
        for change in ProgramRevisionRecord.FromString(row["private"]).changes:
            match change.WhichOneof("kind"):
                case "created":
                    told[number] = change.created.content
                case "content_changed":
                    told[number] = change.content_changed.content
                case "revised":
                    number = change.revised.version
                case _:
                    pass
    request = service.ListProgramVersionsRequest(program_id=made.program_id, view=VIEW_FULL)
    listed = (await desk.ask("ListProgramVersions", ANNA, request)).versions
    assert {each.number: each.content for each in listed} == told
    assert [(each.number, each.content.title) for each in listed] == [(3, "Third"), (2, "Second"), (1, "First")]
    for before, after in ((1, 2), (2, 3), (1, 3)):
        compare = service.CompareVersionsRequest(program_id=made.program_id, from_version=before, to_version=after)
        [difference] = (await desk.ask("CompareVersions", ANNA, compare)).differences
        assert (difference.before, difference.after) == (told[before].title, told[after].title)
