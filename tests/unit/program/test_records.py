from collections.abc import Iterable
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.program.v1 import events_pb2 as events
from training.program.v1 import program_pb2 as pb

from program_svc.adapters import mapping
from program_svc.domain.changes import (
    Change,
    ContentChanged,
    ProgramCreated,
    ReviewerChange,
    VersionApproved,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionSubmitted,
)
from program_svc.domain.compare import Difference
from program_svc.domain.content import ProgramContent
from program_svc.domain.program import Retirement, Waiver
from tests.unit.program.samples import COMPLETE, NOW, OTHER_ID, PROGRAM_ID
from tests.unit.program.strategies import changes, reviewer_changes
from tests.unit.program.telling import tells


def told(kept: events.ProgramChange | events.ReviewerChange, change: Change | ReviewerChange) -> bool:
    """Tell whether a kept change is of the change's kind and has everything that it says."""
    kind = kept.WhichOneof("kind")
    assert kind is not None
    said = getattr(kept, kind)
    assert said.DESCRIPTOR.name == type(change).__name__
    return tells(said, change, untold=("program_id",) if isinstance(change, ProgramCreated) else ())


@given(st.lists(changes, max_size=5))
def test_a_record_keeps_every_change_of_a_program_in_order(made: list[Change]) -> None:
    private = mapping.record("SomeCommand", tuple(made)).SerializeToString()
    kept = events.ProgramRevisionRecord.FromString(private)
    assert kept.command == "SomeCommand"
    assert all(told(message, change) for message, change in zip(kept.changes, made, strict=True))


@given(st.lists(reviewer_changes, max_size=5))
def test_a_record_keeps_every_change_of_a_reviewer_in_order(made: list[ReviewerChange]) -> None:
    private = mapping.reviewer_record("SomeCommand", tuple(made)).SerializeToString()
    kept = events.ReviewerRevisionRecord.FromString(private)
    assert kept.command == "SomeCommand"
    assert all(told(message, change) for message, change in zip(kept.changes, made, strict=True))


def test_records_know_the_kinds_of_change_that_the_domain_knows() -> None:
    assert _kinds(events.ProgramChange.DESCRIPTOR.fields) == {kind.__name__ for kind in get_args(Change)}
    assert _kinds(events.ReviewerChange.DESCRIPTOR.fields) == {kind.__name__ for kind in get_args(ReviewerChange)}


def _kinds(fields: Iterable[object]) -> set[str]:
    return {getattr(field, "message_type").name for field in fields}  # noqa: B009 - protobuf's stubs know no such field


def test_the_record_of_a_life_is_what_it_has_always_been() -> None:
    waiver = Waiver(("*",), "a pilot", "paul")
    record = mapping.record(
        "ReleaseProgram",
        (
            ProgramCreated(PROGRAM_ID, "alice", ("carol",), COMPLETE),
            ContentChanged(COMPLETE, ("title", "plan")),
            VersionSubmitted(),
            VersionApproved("bob", complete=True),
            VersionReleased((waiver,)),
            VersionReleased(),
            VersionRetired(Retirement("outdated", OTHER_ID, NOW)),
            VersionReopened(),
        ),
    )
    content = mapping.write_content(COMPLETE)
    retirement = pb.Retirement(reason="outdated", successor_program_id=str(OTHER_ID))
    retirement.retire_time.FromDatetime(NOW)
    assert record == events.ProgramRevisionRecord(
        command="ReleaseProgram",
        changes=[
            events.ProgramChange(created=events.ProgramCreated(author="alice", co_authors=["carol"], content=content)),
            events.ProgramChange(content_changed=events.ContentChanged(content=content, fields=["title", "plan"])),
            events.ProgramChange(submitted=events.VersionSubmitted()),
            events.ProgramChange(approved=events.VersionApproved(reviewer="bob", complete=True)),
            events.ProgramChange(
                released=events.VersionReleased(waivers=[pb.Waiver(rules=["*"], reason="a pilot", principal="paul")])
            ),
            events.ProgramChange(released=events.VersionReleased()),
            events.ProgramChange(retired=events.VersionRetired(retirement=retirement)),
            events.ProgramChange(reopened=events.VersionReopened()),
        ],
    )


@given(st.integers(1, 2**62), st.lists(changes, max_size=4))
def test_the_history_tells_of_a_revision_who_made_it_when_by_which_command_and_what_changed(
    revision: int, made: list[Change]
) -> None:
    record = mapping.record("SomeCommand", tuple(made))
    entry = mapping.history_entry(revision, NOW, "alice", record.SerializeToString(), full=True)
    assert (entry.revision, entry.actor, entry.command) == (revision, "alice", "SomeCommand")
    assert entry.time.ToDatetime(NOW.tzinfo) == NOW
    assert list(entry.changes) == list(record.changes)


@given(st.lists(changes, max_size=4))
def test_the_history_leaves_contents_out_and_nothing_else_unless_it_is_told_in_full(made: list[Change]) -> None:
    private = mapping.record("SomeCommand", tuple(made)).SerializeToString()
    full = mapping.history_entry(3, NOW, "alice", private, full=True)
    basic = mapping.history_entry(3, NOW, "alice", private, full=False)
    for change in full.changes:
        if change.HasField("created"):
            change.created.ClearField("content")
        if change.HasField("content_changed"):
            change.content_changed.ClearField("content")
    assert basic == full


@pytest.mark.parametrize("full", [True, False])
def test_the_history_names_the_fields_of_the_content_that_a_revision_touched(*, full: bool) -> None:
    def fields(*made: Change) -> list[str]:
        private = mapping.record("SomeCommand", made).SerializeToString()
        return list(mapping.history_entry(1, NOW, "alice", private, full=full).changed_fields)

    draft = ProgramContent(title="New", categories=("cloud",), language_code="en")
    assert fields(ProgramCreated(PROGRAM_ID, "alice", (), draft)) == ["title", "categories", "language_code"]
    assert fields(ContentChanged(COMPLETE, ("plan", "tags"))) == ["plan", "tags"]
    assert fields(ContentChanged(COMPLETE, ("plan",)), ContentChanged(COMPLETE, ("title", "plan"))) == ["plan", "title"]
    assert fields(VersionSubmitted(), VersionApproved("bob", complete=True)) == []


def test_differences_tell_an_empty_text_from_none() -> None:
    found = (
        Difference("title", "Old", "New"),
        Difference("plan", None, "A plan"),
        Difference("agenda[0].title", "", None),
    )
    written = mapping.differences(found)
    assert [(each.path, each.before, each.after) for each in written] == [
        ("title", "Old", "New"),
        ("plan", "", "A plan"),
        ("agenda[0].title", "", ""),
    ]
    assert [(each.HasField("before"), each.HasField("after")) for each in written] == [
        (True, True),
        (False, True),
        (True, False),
    ]
