"""Every state against every command, in a table and as random sequences against a model of the state machine."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.refusal import Refusal
from program_svc.domain.commands import (
    ApproveProgram,
    Command,
    CreateProgram,
    ImportProgram,
    ReleaseProgram,
    RetireProgram,
    SubmitProgram,
    UpdateProgram,
)
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import ProgramState
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, State
from tests.unit.program.samples import COMPLETE, OTHER_ID, PROGRAM_ID, context, program

RENAMED: Final = replace(COMPLETE, title="Running clusters")

# The command, and who gives it when nothing but the state is in its way.
COMMANDS: Final[Mapping[str, tuple[Command, str]]] = {
    "create": (CreateProgram(PROGRAM_ID, COMPLETE, ("carol",)), "alice"),
    "update": (UpdateProgram(PROGRAM_ID, RENAMED, ("title",)), "alice"),
    "submit": (SubmitProgram(PROGRAM_ID), "alice"),
    "approve": (ApproveProgram(PROGRAM_ID), "dora"),
    "release": (ReleaseProgram(PROGRAM_ID), "paul"),
    "retire": (RetireProgram(PROGRAM_ID, "outdated"), "paul"),
    "import": (ImportProgram(PROGRAM_ID, RENAMED), "paul"),
}

GONE, TAKEN, NO, LOCKED = "RESOURCE_NOT_FOUND", "RESOURCE_EXISTS", "PROGRAM_STATE", "LOCKED_IN_REVIEW"
OK = "allowed"
# fmt: off
TABLE: Final = {
    #                 create  update  submit  approve release retire  import
    None:            (OK,     GONE,   GONE,   GONE,   GONE,   GONE,   OK),
    State.DRAFT:     (TAKEN,  OK,     OK,     NO,     NO,     NO,     TAKEN),
    State.IN_REVIEW: (TAKEN,  LOCKED, NO,     OK,     NO,     NO,     TAKEN),
    State.APPROVED:  (TAKEN,  OK,     NO,     NO,     OK,     NO,     TAKEN),
    State.SCHEDULED: (TAKEN,  NO,     NO,     NO,     OK,     NO,     TAKEN),
    State.RELEASED:  (TAKEN,  NO,     NO,     NO,     NO,     OK,     TAKEN),
    State.RETIRED:   (TAKEN,  NO,     NO,     NO,     NO,     NO,     TAKEN),
    State.REJECTED:  (TAKEN,  NO,     NO,     NO,     NO,     NO,     TAKEN),
}
# fmt: on


def outcome(state: Program | None, command: Command, principal: str, rules: Rules) -> tuple[str, Program | None]:
    given_ = context(principal, rules=rules)
    try:
        changes = decide(state, command, given_)
    except Refusal as refused:
        return refused.reason, state
    return OK, apply(state, changes, given_) if changes else state


@pytest.mark.parametrize(
    ("state", "name", "expected"),
    [(state, name, expected) for state, row in TABLE.items() for name, expected in zip(COMMANDS, row, strict=True)],
)
def test_every_state_allows_exactly_its_commands(state: State | None, name: str, expected: str) -> None:
    command, principal = COMMANDS[name]
    before = None if state is None else program(state)
    assert outcome(before, command, principal, Rules())[0] == expected


def test_the_table_covers_every_state() -> None:
    assert set(TABLE) == {None, *State} - {State.UNSPECIFIED}


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (state, name)
        for state, row in TABLE.items()
        for name, expected in zip(COMMANDS, row, strict=True)
        if state is not None and expected == NO
    ],
)
def test_a_refusal_by_state_names_the_state_and_the_command(state: State, name: str) -> None:
    command, principal = COMMANDS[name]
    with pytest.raises(ProgramState) as refused:
        decide(program(state), command, context(principal))
    assert refused.value.metadata == {"state": state.name, "command": type(command).__name__}


class Model:
    """The state machine in strings and sets, written from its description alone."""

    def __init__(self, needed: int) -> None:
        self.needed = needed
        self.state = ""
        self.authors: set[str] = set()
        self.approvals: set[str] = set()
        self.title, self.tag, self.revision = "", "", 0

    def expect(self, who: str, name: str, *, title: str, tag: str) -> str:
        """Return the expected reason and, if allowed, move on."""
        return str(getattr(self, f"_{name}")(who, title, tag))

    def _changed(self, state: str) -> str:
        self.state, self.revision = state, self.revision + 1
        return OK

    def _create(self, who: str, title: str, tag: str) -> str:
        if self.state:
            return TAKEN
        self.authors, self.title, self.tag = {who, "carol"}, title, tag
        return self._changed("DRAFT")

    def _import(self, who: str, title: str, tag: str) -> str:
        if self.state in {"RELEASED", "RETIRED"} and (title, tag) == (self.title, self.tag):
            return OK
        if self.state:
            return TAKEN
        self.authors, self.title, self.tag = {who}, title, tag
        return self._changed("RELEASED")

    def _update(self, who: str, title: str, tag: str) -> str:
        if self.state in {"", "RELEASED", "RETIRED"}:
            return NO if self.state else GONE
        if who not in self.authors:
            return "NOT_AN_AUTHOR"
        if self.state == "IN_REVIEW":
            return LOCKED
        if (title, tag) == (self.title, self.tag):
            return OK
        keeps = title == self.title
        self.title, self.tag = title, tag
        return self._changed(self.state if keeps else "DRAFT")

    def _submit(self, who: str, _title: str, _tag: str) -> str:
        if self.state in {"", "RELEASED", "RETIRED"}:
            return NO if self.state else GONE
        if who not in self.authors:
            return "NOT_AN_AUTHOR"
        if self.state != "DRAFT":
            return NO
        self.approvals = set()
        return self._changed("IN_REVIEW")

    def _approve(self, who: str, _title: str, _tag: str) -> str:
        if self.state in {"", "RELEASED", "RETIRED"}:
            return NO if self.state else GONE
        if who in self.authors:
            return "FOUR_EYES"
        if self.state != "IN_REVIEW":
            return NO
        if who in self.approvals:
            return "ALREADY_APPROVED_BY"
        self.approvals.add(who)
        return self._changed("APPROVED" if len(self.approvals) == self.needed else "IN_REVIEW")

    def _release(self, _who: str, _title: str, _tag: str) -> str:
        if self.state != "APPROVED":
            return NO if self.state else GONE
        return self._changed("RELEASED")

    def _retire(self, _who: str, _title: str, _tag: str) -> str:
        if self.state != "RELEASED":
            return NO if self.state else GONE
        return self._changed("RETIRED")


_TITLES: Final = {"Running container platforms": COMPLETE, "Running clusters": RENAMED}
_steps = st.tuples(
    st.sampled_from(("alice", "bob", "carol", "dora")),
    # Weighted towards the way to a release, which chance alone would seldom find.
    st.sampled_from(("create", "update", "submit", "submit", "approve", "approve", "release", "retire", "import")),
    st.sampled_from(tuple(_TITLES)),
    st.sampled_from(("containers", "new")),
)


@settings(max_examples=300, deadline=None)
@given(needed=st.integers(1, 2), steps=st.lists(_steps, min_size=1, max_size=25))
def test_any_sequence_of_commands_follows_the_model(needed: int, steps: list[tuple[str, str, str, str]]) -> None:
    model, state = Model(needed), None
    rules = Rules(approvals_needed=needed)
    for who, name, title, tag in steps:
        content = replace(_TITLES[title], tags=(tag,))
        command: Command
        match name:
            case "create":
                command = CreateProgram(PROGRAM_ID, content, ("carol",))
            case "update":
                command = UpdateProgram(PROGRAM_ID, content, ("title", "tags"))
            case "import":
                command = ImportProgram(PROGRAM_ID, content)
            case "retire":
                command = RetireProgram(PROGRAM_ID, "outdated", OTHER_ID, successor_released=True)
            case _:
                command = COMMANDS[name][0]
        before = state
        reason, state = outcome(state, command, who, rules)
        assert reason == model.expect(who, name, title=title, tag=tag)
        if reason != OK:
            assert state is before
        if state is None:
            assert model.state == ""
            continue
        assert (state.state.name, state.revision) == (model.state, model.revision)
        version = state.working or state.live
        assert version is not None
        assert (version.content.title, version.content.tags) == (model.title, (model.tag,))
        if model.state == "IN_REVIEW":
            assert {approval.reviewer for approval in version.approvals} == model.approvals
