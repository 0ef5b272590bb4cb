from dataclasses import replace

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given
from training.program.v1 import events_pb2 as events
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.type.v1 import vocabulary_pb2

from chassis.refusal import InvalidField
from program_svc.adapters import mapping
from program_svc.domain.changes import (
    ContentChanged,
    ProgramCreated,
    VersionApproved,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionSubmitted,
)
from program_svc.domain.commands import (
    ApproveProgram,
    CreateProgram,
    ImportProgram,
    ReleaseProgram,
    RetireProgram,
    SubmitProgram,
    WaiverRequest,
)
from program_svc.domain.content import CONTENT_FIELDS, Level, Prerequisites, ProgramContent
from program_svc.domain.gate_rules import GateRules
from program_svc.domain.program import Program, Retirement, State, Waiver
from program_svc.domain.release_gate import violations
from tests.unit.program.samples import COMPLETE, NOW, OTHER_ID, PROGRAM_ID, contents, program, programs, revised

ID = str(PROGRAM_ID)


@given(programs)
def test_a_program_comes_back_from_its_bytes_as_it_was(state: Program) -> None:
    message = pb.Program.FromString(mapping.to_message(state).SerializeToString())
    assert mapping.from_message(message) == state


@given(contents)
def test_content_comes_back_from_a_request_as_it_was(content: ProgramContent) -> None:
    request = service.CreateProgramRequest(content=mapping.write_content(content), co_authors=["carol"])
    wired = service.CreateProgramRequest.FromString(request.SerializeToString())
    assert mapping.create_program(wired, PROGRAM_ID) == CreateProgram(PROGRAM_ID, content, ("carol",))


def test_the_domain_and_the_message_name_the_same_fields_in_the_same_order() -> None:
    assert tuple(field.name for field in pb.ProgramContent.DESCRIPTOR.fields) == CONTENT_FIELDS


def test_the_domain_and_the_message_number_states_and_levels_alike() -> None:
    assert {f"STATE_{state.name}": int(state) for state in State} == dict(pb.Program.State.items())
    assert {f"LEVEL_{level.name}": int(level) for level in Level} == dict(vocabulary_pb2.Level.items())


def test_absent_and_empty_messages_are_told_apart() -> None:
    message = mapping.write_content(ProgramContent(prerequisites=Prerequisites()))
    assert message.HasField("prerequisites")
    assert not message.HasField("total_duration")
    assert not message.HasField("credits")


def test_the_etag_is_the_revision_and_the_time_of_the_definition() -> None:
    state = replace(program(State.DRAFT), definition_revision=31, revision=40)
    assert mapping.etag(state) == f"1f-{int(NOW.timestamp() * 1_000_000):x}"
    assert mapping.to_message(state).etag == mapping.etag(state)


def test_a_mask_names_the_fields_that_an_update_takes() -> None:
    request = service.UpdateProgramRequest(
        program_id=ID,
        content=pb.ProgramContent(title="New"),
        update_mask=FieldMask(paths=["plan", "title", "plan"]),
    )
    command = mapping.update_program(request)
    assert (command.program_id, command.content.title) == (PROGRAM_ID, "New")
    assert command.fields == ("title", "plan")


@pytest.mark.parametrize("mask", [None, FieldMask()])
def test_without_a_mask_an_update_takes_the_fields_that_are_set(mask: FieldMask | None) -> None:
    content = pb.ProgramContent(title="New", tags=["a"], prerequisites=pb.Prerequisites())
    request = service.UpdateProgramRequest(program_id=ID, content=content, update_mask=mask)
    assert mapping.update_program(request).fields == ("title", "prerequisites", "tags")


def test_a_star_takes_every_field() -> None:
    request = service.UpdateProgramRequest(
        program_id=ID, content=pb.ProgramContent(), update_mask=FieldMask(paths=["*"])
    )
    assert mapping.update_program(request).fields == CONTENT_FIELDS


@pytest.mark.parametrize("path", ["titel", "", "content.title", "prerequisites.text", "agenda[0]", "Title"])
def test_an_unknown_path_of_the_mask_is_an_invalid_field(path: str) -> None:
    request = service.UpdateProgramRequest(
        program_id=ID, content=pb.ProgramContent(), update_mask=FieldMask(paths=["*", path])
    )
    with pytest.raises(InvalidField) as refused:
        mapping.update_program(request)
    assert [(found.field, found.found) for found in refused.value.violations] == [("update_mask", path)]


def test_each_request_becomes_its_command() -> None:
    waiver = pb.Waiver(rules=["plan.length", "*"], reason="a pilot", principal="not taken")
    asked = WaiverRequest(("plan.length", "*"), "a pilot")
    content = mapping.write_content(COMPLETE)
    assert mapping.submit_program(service.SubmitProgramRequest(program_id=ID)) == SubmitProgram(PROGRAM_ID)
    assert mapping.approve_program(service.ApproveProgramRequest(program_id=ID)) == ApproveProgram(PROGRAM_ID)
    assert mapping.release_program(service.ReleaseProgramRequest(program_id=ID)) == ReleaseProgram(PROGRAM_ID)
    assert mapping.release_program(service.ReleaseProgramRequest(program_id=ID, waiver=waiver)) == ReleaseProgram(
        PROGRAM_ID, asked
    )
    assert mapping.import_program(
        service.ImportProgramsRequest(program_id=ID, content=content, waiver=waiver)
    ) == ImportProgram(PROGRAM_ID, COMPLETE, asked)
    assert mapping.import_program(service.ImportProgramsRequest(program_id=ID, content=content)) == ImportProgram(
        PROGRAM_ID, COMPLETE
    )


def test_a_retirement_carries_what_the_application_found_out_about_the_successor() -> None:
    alone = service.RetireProgramRequest(program_id=ID, reason="outdated")
    assert mapping.retire_program(alone) == RetireProgram(PROGRAM_ID, "outdated")
    followed = service.RetireProgramRequest(program_id=ID, reason="outdated", successor_program_id=str(OTHER_ID))
    assert mapping.retire_program(followed, successor_released=True) == RetireProgram(
        PROGRAM_ID, "outdated", OTHER_ID, successor_released=True
    )


def test_a_record_keeps_every_change_in_order() -> None:
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


@pytest.mark.parametrize(
    "change",
    [
        ContentChanged(COMPLETE, ("title",)),
        VersionSubmitted(),
        VersionApproved("bob", complete=True),
        VersionReopened(),
        ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE),
    ],
)
def test_a_revision_that_changes_nothing_public_is_an_empty_advance(
    change: ContentChanged | VersionSubmitted | VersionApproved | VersionReopened | ProgramCreated,
) -> None:
    for after in (program(State.DRAFT), revised(State.RELEASED, State.DRAFT)):
        assert mapping.event("alice", None, after, (change,)) == ("training.program.v1.Advanced", b"")


def test_a_release_is_published_with_the_whole_public_state() -> None:
    after = program(State.RELEASED)
    created = ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE)
    kind, body = mapping.event("paul", None, after, (created, VersionReleased()))
    told = events.ProgramEvent.FromString(body)
    assert (kind, told.actor, told.released.version) == ("training.program.v1.ProgramReleased", "paul", 1)
    assert told.program == mapping.published(after)
    assert told.program.content == mapping.write_content(COMPLETE)
    assert (told.program.program_id, told.program.revision) == (ID, after.revision)
    assert (told.program.state, told.program.version) == (pb.Program.STATE_RELEASED, 1)
    assert told.program.release_time.ToDatetime(NOW.tzinfo) == NOW
    assert not told.program.HasField("retire_time")


def test_a_retirement_is_published_without_its_reason() -> None:
    retirement = Retirement("a private reason", OTHER_ID, NOW, cancel_offers=True)
    after = replace(program(State.RETIRED), retirement=retirement)
    kind, body = mapping.event("paul", program(State.RELEASED), after, (VersionRetired(retirement),))
    told = events.ProgramEvent.FromString(body)
    assert kind == "training.program.v1.ProgramRetired"
    assert told.retired == events.ProgramRetired(successor_program_id=str(OTHER_ID), cancel_offers=True)
    assert (told.program.state, told.program.successor_program_id) == (pb.Program.STATE_RETIRED, str(OTHER_ID))
    assert told.program.cancel_offers
    assert told.program.retire_time.ToDatetime(NOW.tzinfo) == NOW
    assert b"private" not in body


def test_reviews_waivers_and_the_working_version_are_not_published() -> None:
    waiver = Waiver(("*",), "secret waiver", "secret publisher")
    state = revised(State.RELEASED, State.DRAFT)
    assert state.live is not None
    assert state.working is not None
    state = replace(
        state,
        live=replace(state.live, waivers=(waiver,)),
        working=replace(state.working, content=replace(COMPLETE, title="secret draft")),
    )
    _, body = mapping.event("paul", None, state, (VersionReleased((waiver,)),))
    assert b"secret" not in body
    assert b"bob" not in body


def test_a_program_that_was_never_released_has_nothing_public() -> None:
    assert mapping.published(program(State.APPROVED)) is None
    unreleased = (VersionReleased(), VersionRetired(Retirement("", None, NOW)))
    assert mapping.event("paul", None, program(State.DRAFT), unreleased) == ("training.program.v1.Advanced", b"")


@given(programs)
def test_every_program_with_a_live_version_can_be_published(state: Program) -> None:
    assert (mapping.published(state) is None) == (state.live is None)


def test_what_the_gate_finds_is_told_as_warnings() -> None:
    found = violations(replace(COMPLETE, title=""), GateRules())
    assert mapping.gate_violations(found) == [
        service.GateViolation(field="title", rule="title.length", found="0 characters", needed="5 to 200 characters")
    ]
