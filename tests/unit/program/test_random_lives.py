"""Random sequences of commands on one program, against a small model of its life."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Final

from hypothesis import given, settings
from hypothesis import strategies as st

from program_svc.domain.context import Context, Rules
from program_svc.domain.due import next_due
from program_svc.domain.program import State, Version
from program_svc.domain.reviewer import Candidate
from tests.unit.program.life import PEOPLE, WAYS, Life, Step, any_step, command_of
from tests.unit.program.model import Model, ModelVersion
from tests.unit.program.samples import NOW

CAP: Final = 2
_registries = st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, CAP), max_size=4)


def agree(model: ModelVersion | None, version: Version | None) -> None:
    """Compare a version with the model's."""
    if model is None or version is None:
        assert model is None
        assert version is None
        return
    assert (version.number, version.state.name) == (model.number, model.state)
    assert (version.content.title, version.content.tags) == (model.title, (model.tag,))
    assert {given_.reviewer for given_ in version.approvals} == model.approvals
    assert {given_.reviewer for given_ in version.assignments} == model.assigned
    assert (version.waiting_since is not None) == model.waits
    assert (version.comment_count, version.open_blocking_comments) == (len(model.comments), model.blocked())
    if model.state == "SCHEDULED":
        assert model.release_at is not None
        assert version.release_time == NOW + timedelta(hours=model.release_at)


@settings(max_examples=300, deadline=None)
@given(
    needed=st.integers(1, 2),
    registry=_registries,
    way=st.sampled_from(WAYS),
    steps=st.lists(any_step, min_size=1, max_size=25),
)
def test_any_sequence_of_commands_follows_the_model(
    needed: int, registry: dict[str, int], way: Sequence[Step], steps: list[Step]
) -> None:
    life, model = Life(Rules(approvals_needed=needed)), Model(needed, [], set())
    loads = dict[str, int]()
    for at, step in enumerate((*way, *steps)):
        if at == len(way):
            loads = registry  # on the way nobody is registered, so that anybody approves
        model.now += step.hours
        if step.name == "reload":
            loads = {name: (load + 1) % (CAP + 1) for name, load in loads.items() if name != step.reviewer}
            continue
        # A reviewer's order of registration is that of the alphabet; nobody's categories tell them apart.
        model.registered = set(loads)
        model.free = sorted((name for name in loads if loads[name] < CAP), key=lambda name: (loads[name], name))
        if model.working:
            model.free = [name for name in model.free if name not in model.working.assigned | model.working.approvals]
        known = tuple(Candidate(name, (), load, CAP, NOW) for name, load in loads.items())
        now = Context(NOW + timedelta(hours=model.now), step.who, life.rules, known, life.comments)
        working = 0 if model.working is None else model.working.number
        command = command_of(step, working, len(model.working.comments) if model.working else 0, now)
        before = life.state
        words = {"title": step.title, "tag": step.tag, "reviewer": step.reviewer, "blocking": step.blocking}
        assert life.carry_out(command, now) == model.expect(step.who, step.name, words, step.number)
        if life.state is None:
            assert model.revision == 0
            continue
        state = life.state
        assert (state.revision, state.state.name, state.version_count) == (model.revision, model.state, model.numbers)
        agree(model.working, state.working)
        agree(model.live, state.live)
        assert [(left.number, left.state.name) for left in life.left] == model.archive
        retires = None if model.retire_at is None else NOW + timedelta(hours=model.retire_at)
        assert (state.pending_retirement and state.pending_retirement.retire_time) == retires
        due = [model.working.release_at if model.working else None, model.retire_at]
        first = min((hour for hour in due if hour is not None), default=None)
        assert next_due(state) == (None if first is None else NOW + timedelta(hours=first))
        if state is not before:
            assert state.update_time == now.now
            assert state.definition_revision <= state.revision
            assert (state.public_revision == 0) == (state.live is None)
        assert state.state is not State.UNSPECIFIED
