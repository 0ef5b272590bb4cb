from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training.program.v1 import events_pb2 as events
from training.program.v1 import program_pb2 as pb

from chassis.refusal import Violation
from program_svc.adapters import mapping
from program_svc.domain.changes import Change, ProgramCreated, VersionReleased, VersionRetired
from program_svc.domain.evolve import apply
from program_svc.domain.program import (
    Approval,
    Assignment,
    ChangeRequest,
    Program,
    Rejection,
    ReleaseFailure,
    Retirement,
    State,
    Version,
    Waiver,
)
from tests.unit.program.samples import COMPLETE, NOW, OTHER_ID, PROGRAM_ID, context, program, revised
from tests.unit.program.strategies import changes, whole_programs

ADVANCED = ("training.program.v1.Advanced", b"")


@given(changes.filter(lambda change: not isinstance(change, VersionReleased | VersionRetired)), whole_programs)
def test_a_revision_that_changes_nothing_public_is_an_empty_advance(change: Change, after: Program) -> None:
    assert mapping.event("alice", None, after, (change,)) == ADVANCED


def test_a_release_is_published_with_the_whole_public_state() -> None:
    after = program(State.RELEASED)
    created = ProgramCreated(PROGRAM_ID, "alice", (), COMPLETE)
    kind, body = mapping.event("paul", None, after, (created, VersionReleased()))
    told = events.ProgramEvent.FromString(body)
    assert (kind, told.actor, told.released.version) == ("training.program.v1.ProgramReleased", "paul", 1)
    assert told.program == mapping.published(after)
    assert told.program.content == mapping.write_content(COMPLETE)
    assert (told.program.program_id, told.program.revision) == (str(PROGRAM_ID), after.revision)
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


@pytest.mark.parametrize("change", [VersionReleased(), VersionRetired(Retirement("secret reason", None, NOW))])
def test_people_reviews_waivers_reasons_and_the_working_version_are_not_published(
    change: VersionReleased | VersionRetired,
) -> None:
    state = revised(State.RELEASED, State.DRAFT)
    secret = Version(
        number=1,
        state=State.RELEASED,
        content=COMPLETE,
        approvals=(Approval("secret reviewer", NOW),),
        waivers=(Waiver(("secret rule",), "secret waiver", "secret publisher"),),
        release_failure=ReleaseFailure(NOW, (Violation("secret", "secret", "secret", "secret"),)),
        assignments=(Assignment("secret assigned", NOW),),
        rejection=Rejection("secret rejecter", "secret reason", NOW),
        change_request=ChangeRequest("secret asker", "secret wish", NOW),
    )
    marked = replace(
        state,
        author="secret author",
        co_authors=("secret co-author",),
        working=replace(secret, number=2, content=replace(COMPLETE, title="secret draft")),
        live=secret,
        retirement=Retirement("secret reason", None, NOW),
        pending_retirement=Retirement("secret reason to come", None, NOW),
    )
    _, body = mapping.event("paul", None, marked, (change,))
    assert body
    assert b"secret" not in body


def test_a_program_that_was_never_released_has_nothing_public() -> None:
    assert mapping.published(program(State.APPROVED)) is None
    unreleased = (VersionReleased(), VersionRetired(Retirement("", None, NOW)))
    assert mapping.event("paul", None, program(State.DRAFT), unreleased) == ADVANCED


@given(whole_programs)
def test_every_program_with_a_live_version_can_be_published(state: Program) -> None:
    assert (mapping.published(state) is None) == (state.live is None)


_BEGINNINGS = st.sampled_from((State.DRAFT, State.APPROVED, State.RELEASED, State.RETIRED)).map(program)


@given(_BEGINNINGS, st.lists(st.lists(changes, min_size=1, max_size=3), max_size=6))
def test_what_is_published_of_a_program_is_the_state_of_its_last_public_event(
    state: Program, revisions: list[list[Change]]
) -> None:
    told = mapping.published(state)
    for at, made in enumerate(revisions, 1):
        now = context("paul", after=at)
        before, state = state, apply(state, tuple(made), now)
        event_type, body = mapping.event("paul", before, state, tuple(made))
        assert (event_type == ADVANCED[0]) == (body == b"")
        if body:
            told = events.ProgramEvent.FromString(body).program
        assert mapping.published(state) == told
        assert mapping.published(mapping.from_message(mapping.to_message(state))) == told


@pytest.mark.parametrize("state", [State.RELEASED, State.RETIRED])
def test_a_published_program_names_the_revision_and_the_time_of_its_last_public_change(state: State) -> None:
    after = replace(program(state), revision=99, update_time=context(after=500).now)
    told = mapping.published(after)
    assert told is not None
    assert (told.revision, told.update_time.ToDatetime(NOW.tzinfo)) == (after.public_revision, NOW)
