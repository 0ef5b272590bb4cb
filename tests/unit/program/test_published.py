"""What was published last of a program can be made again of every later state, byte for byte."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from training.program.v1 import events_pb2 as events

from program_svc.adapters import mapping
from program_svc.adapters.encoding import ProgramEncoding
from program_svc.adapters.published import PublishedPrograms
from program_svc.domain.changes import Change
from program_svc.domain.context import Context, Rules
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, State
from program_svc.domain.reviewer import Candidate
from tests.unit.program.life import WAYS, Life, Step, any_step, command_of
from tests.unit.program.samples import NOW, context, program
from tests.unit.program.strategies import changes, whole_programs

ENCODING, PORT = ProgramEncoding(UUID(int=1)), PublishedPrograms()


def stored(state: Program) -> bytes:
    """Return the bytes in which a program is stored."""
    return mapping.to_message(state).SerializeToString()


@settings(max_examples=150, deadline=None)
@given(
    way=st.sampled_from(WAYS),
    steps=st.lists(st.tuples(any_step, st.booleans()), min_size=1, max_size=25),
    free=st.booleans(),
)
def test_after_any_sequence_of_commands_the_last_public_state_is_made_again(
    way: Sequence[Step],
    steps: list[tuple[Step, bool]],
    free: bool,  # noqa: FBT001 - drawn
) -> None:
    life, hours = Life(Rules(approvals_needed=1)), 0
    last = (0, b"")
    for step, reloaded in (*((step, False) for step in way), *steps):
        hours += step.hours
        people = (Candidate("zoe", (), 0, 2, NOW),) if free else ()
        now = Context(NOW + timedelta(hours=hours), step.who, life.rules, people, life.comments)
        working = life.state.working if life.state else None
        numbers = (working.number, working.comment_count) if working else (0, 0)
        before = life.state
        if step.name == "reload":
            continue
        command = command_of(step, *numbers, now)
        life.carry_out(command, now)
        if not life.changes or life.state is None:
            continue
        revision = ENCODING.revision(before, life.state, life.changes, command, now)
        if revision.public:
            last = (life.state.revision, revision.public)
        state = revision.columns["state"]
        assert isinstance(state, bytes)
        assert life.state.public_revision == last[0]
        if last[0]:
            body = PORT.body_of(state, last[0])
            assert last[1].endswith(body)
            assert not events.ProgramEvent.FromString(last[1].removesuffix(body)).HasField("program")
        if reloaded:
            life.state = ENCODING.decode(state)


@given(
    st.sampled_from((State.DRAFT, State.APPROVED, State.RELEASED, State.RETIRED)).map(program),
    st.lists(st.lists(changes, min_size=1, max_size=3), max_size=6),
)
def test_whatever_changes_the_last_public_state_is_made_again(state: Program, revisions: list[list[Change]]) -> None:
    last = b""
    for at, made in enumerate(revisions, 1):
        before, state = state, apply(state, tuple(made), context("paul", after=at))
        public = mapping.event("paul", before, state, tuple(made))[1]
        last = public or last
        if last:
            assert last.endswith(PORT.body_of(stored(state), state.public_revision))


@given(whole_programs.filter(lambda state: state.live is not None))
def test_a_body_has_the_published_state_and_neither_change_nor_actor(state: Program) -> None:
    body = PORT.body_of(stored(state), state.public_revision)
    assert body == events.ProgramEvent(program=mapping.published(state)).SerializeToString()


def test_a_body_names_the_revision_asked_for_and_the_time_it_was_published_at() -> None:
    later = replace(program(State.RELEASED), revision=99, update_time=context(after=500).now)
    told = events.ProgramEvent.FromString(PORT.body_of(stored(later), later.public_revision)).program
    assert told.revision == later.public_revision
    assert told.update_time.ToDatetime(NOW.tzinfo) == NOW


def test_a_retired_program_says_so_and_keeps_its_reason() -> None:
    retired = program(State.RETIRED)
    assert retired.retirement is not None
    body = PORT.body_of(stored(replace(retired, retirement=replace(retired.retirement, reason="secret"))), 7)
    assert events.ProgramEvent.FromString(body).program.HasField("retire_time")
    assert b"secret" not in body
