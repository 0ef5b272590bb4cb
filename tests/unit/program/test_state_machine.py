"""Every state of a program against every command, in two tables: before the first release, and after it."""

from dataclasses import replace
from datetime import timedelta
from typing import Final, get_args

import pytest

from chassis.refusal import Refusal
from program_svc.domain.changes import RetirementScheduled, ReviewDequeued, ReviewersAssigned
from program_svc.domain.commands import (
    AddReviewComment,
    ApproveProgram,
    AssignReviewer,
    AssignWaiting,
    CancelScheduledRelease,
    Command,
    CreateProgram,
    DeleteProgram,
    FireRelease,
    FireRetirement,
    ImportProgram,
    ReassignReviews,
    RejectProgram,
    ReleaseProgram,
    RequestChanges,
    ResolveReviewComment,
    RetireProgram,
    ReviseProgram,
    SubmitProgram,
    UpdateProgram,
    WithdrawProgram,
)
from program_svc.domain.context import Context
from program_svc.domain.decide import decide
from program_svc.domain.errors import ProgramState
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program, Retirement, State
from tests.unit.program.samples import (
    COMMENT_ID,
    COMPLETE,
    LATER,
    OTHER_ID,
    PROGRAM_ID,
    candidate,
    comment,
    context,
    program,
    revised,
)

RENAMED: Final = replace(COMPLETE, title="Running clusters", tags=("new",))
SECOND_ID: Final = OTHER_ID
TWO_HOURS: Final = 7200

# Each command, who gives it when nothing but the state is in its way, and how many seconds after NOW.
COMMANDS: Final[dict[str, tuple[Command, str, int]]] = {
    "create": (CreateProgram(PROGRAM_ID, COMPLETE, ("carol",)), "alice", 0),
    "import": (ImportProgram(PROGRAM_ID, RENAMED), "paul", 0),
    "import again": (ImportProgram(PROGRAM_ID, COMPLETE), "paul", 0),
    "update": (UpdateProgram(PROGRAM_ID, RENAMED, ("title",)), "alice", 0),
    "update tags": (UpdateProgram(PROGRAM_ID, RENAMED, ("tags",)), "alice", 0),
    "submit": (SubmitProgram(PROGRAM_ID), "alice", 0),
    "withdraw": (WithdrawProgram(PROGRAM_ID), "alice", 0),
    "assign erin": (AssignReviewer(PROGRAM_ID, "erin"), "paul", 0),
    "assign anyone": (AssignReviewer(PROGRAM_ID), "paul", 0),
    "comment": (AddReviewComment(PROGRAM_ID, SECOND_ID, "Why?", "plan", as_reviewer=True), "dora", 0),
    "block": (AddReviewComment(PROGRAM_ID, SECOND_ID, "Why?", "plan", blocking=True, as_reviewer=True), "dora", 0),
    "resolve": (ResolveReviewComment(PROGRAM_ID, COMMENT_ID, as_reviewer=True), "dora", 0),
    "request changes": (RequestChanges(PROGRAM_ID, "more steps"), "dora", 0),
    "approve": (ApproveProgram(PROGRAM_ID), "dora", 0),
    "reject": (RejectProgram(PROGRAM_ID, "off topic"), "dora", 0),
    "release": (ReleaseProgram(PROGRAM_ID), "paul", 0),
    "release later": (ReleaseProgram(PROGRAM_ID, None, LATER + timedelta(hours=9)), "paul", 0),
    "cancel release": (CancelScheduledRelease(PROGRAM_ID), "paul", 0),
    "revise": (ReviseProgram(PROGRAM_ID), "alice", 0),
    "retire": (RetireProgram(PROGRAM_ID, "outdated"), "paul", 0),
    "retire later": (RetireProgram(PROGRAM_ID, "outdated", effective_time=LATER), "paul", 0),
    "delete": (DeleteProgram(PROGRAM_ID), "alice", 0),
    "fire release": (FireRelease(PROGRAM_ID), "timekeeper", TWO_HOURS),
    "fire retirement": (FireRetirement(PROGRAM_ID), "timekeeper", TWO_HOURS),
    "fire too early": (FireRelease(PROGRAM_ID), "timekeeper", 0),
    "end too early": (FireRetirement(PROGRAM_ID), "timekeeper", 0),
    "assign waiting": (AssignWaiting(PROGRAM_ID), "timekeeper", 0),
    "reassign": (ReassignReviews(PROGRAM_ID), "timekeeper", 0),
}

CODES: Final = {
    State.DRAFT: "DR",
    State.IN_REVIEW: "IR",
    State.APPROVED: "AP",
    State.SCHEDULED: "SC",
    State.REJECTED: "RJ",
    State.RELEASED: "RE",
    State.RETIRED: "RT",
    State.DELETED: "DE",
}
NO, GONE, TAKEN, LOCKED = "PROGRAM_STATE", "RESOURCE_NOT_FOUND", "RESOURCE_EXISTS", "LOCKED_IN_REVIEW"
OTHERS, NONE = "NOT_ASSIGNED", "nothing to do"


def assigned_to_zoe() -> Program:
    """Return a program in review by zoe, who is registered no more."""
    return apply(program(State.IN_REVIEW), (ReviewersAssigned(("zoe",)), ReviewDequeued()), context())


def ending() -> Program:
    """Return a released program that is to be retired LATER."""
    return apply(program(State.RELEASED), (RetirementScheduled(Retirement("sunset", None, LATER)),), context())


# fmt: off
STATES: Final[dict[str, Program | None]] = {
    "none": None,
    "DR": program(State.DRAFT),
    "IR": program(State.IN_REVIEW),
    "IR of zoe": assigned_to_zoe(),
    "AP": program(State.APPROVED),
    "SC": program(State.SCHEDULED),
    "RJ": program(State.REJECTED),
    "DE": program(State.DELETED),
    "RE": program(State.RELEASED),
    "RE+DR": revised(State.RELEASED, State.DRAFT),
    "RE+IR": revised(State.RELEASED, State.IN_REVIEW),
    "RE+AP": revised(State.RELEASED, State.APPROVED),
    "RE+SC": revised(State.RELEASED, State.SCHEDULED),
    "RE+RJ": revised(State.RELEASED, State.REJECTED),
    "EN": ending(),
    "RT": program(State.RETIRED),
}
# Before the first release:
FIRST: Final = ("none", "DR", "IR", "IR of zoe", "AP", "SC", "RJ", "DE")
BEFORE: Final = {
    #                   none   DR     IR      of zoe  AP     SC     RJ     DE
    "create":          ("DR",  TAKEN, TAKEN,  TAKEN,  TAKEN, TAKEN, TAKEN, TAKEN),
    "import":          ("RE",  TAKEN, TAKEN,  TAKEN,  TAKEN, TAKEN, TAKEN, TAKEN),
    "import again":    ("RE",  TAKEN, TAKEN,  TAKEN,  TAKEN, TAKEN, TAKEN, TAKEN),
    "update":          (GONE,  "DR",  LOCKED, LOCKED, "DR",  NO,    NO,    GONE),
    "update tags":     (GONE,  "DR",  LOCKED, LOCKED, "AP",  "SC",  NO,    GONE),
    "submit":          (GONE,  "IR",  NO,     NO,     NO,    NO,    NO,    GONE),
    "withdraw":        (GONE,  NO,    "DR",   "DR",   NO,    NO,    NO,    GONE),
    "assign erin":     (GONE,  NO,    "IR",   "IR",   NO,    NO,    NO,    GONE),
    "assign anyone":   (GONE,  NO,    "IR",   NONE,   NO,    NO,    NO,    GONE),
    "comment":         (GONE,  "DR",  "IR",   "IR",   "AP",  NO,    NO,    GONE),
    "block":           (GONE,  "DR",  "IR",   "IR",   NO,    NO,    NO,    GONE),
    "resolve":         (GONE,  "DR",  "IR",   "IR",   "AP",  NO,    NO,    GONE),
    "request changes": (GONE,  NO,    "DR",   "DR",   NO,    NO,    NO,    GONE),
    "approve":         (GONE,  NO,    "AP",   OTHERS, NO,    NO,    NO,    GONE),
    "reject":          (GONE,  NO,    "RJ",   OTHERS, NO,    NO,    NO,    GONE),
    "release":         (GONE,  NO,    NO,     NO,     "RE",  "RE",  NO,    GONE),
    "release later":   (GONE,  NO,    NO,     NO,     "SC",  "SC",  NO,    GONE),
    "cancel release":  (GONE,  NO,    NO,     NO,     NO,    "AP",  NO,    GONE),
    "revise":          (GONE,  NO,    NO,     NO,     NO,    NO,    "DR",  GONE),
    "retire":          (GONE,  NO,    NO,     NO,     NO,    NO,    NO,    GONE),
    "retire later":    (GONE,  NO,    NO,     NO,     NO,    NO,    NO,    GONE),
    "delete":          (GONE,  "DE",  NO,     NO,     NO,    NO,    "DE",  GONE),
    "fire release":    (GONE,  NONE,  NONE,   NONE,   NONE,  "RE",  NONE,  NONE),
    "fire retirement": (GONE,  NONE,  NONE,   NONE,   NONE,  NONE,  NONE,  NONE),
    "fire too early":  (GONE,  NONE,  NONE,   NONE,   NONE,  NONE,  NONE,  NONE),
    "end too early":   (GONE,  NONE,  NONE,   NONE,   NONE,  NONE,  NONE,  NONE),
    "assign waiting":  (GONE,  NONE,  "IR",   NONE,   NONE,  NONE,  NONE,  NONE),
    "reassign":        (GONE,  NONE,  NONE,   "IR",   NONE,  NONE,  NONE,  NONE),
}
# From the first release on; EN is to be retired:
LIVE: Final = ("RE", "RE+DR", "RE+IR", "RE+AP", "RE+SC", "RE+RJ", "EN", "RT")
AFTER: Final = {
    #                   RE       RE+DR    RE+IR    RE+AP    RE+SC    RE+RJ    EN       RT
    "create":          (TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN),
    "import":          (TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN,   TAKEN),
    "import again":    (NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NO),
    "update":          (NO,      "RE+DR", LOCKED,  "RE+DR", NO,      NO,      NO,      NO),
    "update tags":     (NO,      "RE+DR", LOCKED,  "RE+AP", "RE+SC", NO,      NO,      NO),
    "submit":          (NO,      "RE+IR", NO,      NO,      NO,      NO,      NO,      NO),
    "withdraw":        (NO,      NO,      "RE+DR", NO,      NO,      NO,      NO,      NO),
    "assign erin":     (NO,      NO,      "RE+IR", NO,      NO,      NO,      NO,      NO),
    "assign anyone":   (NO,      NO,      "RE+IR", NO,      NO,      NO,      NO,      NO),
    "comment":         (NO,      "RE+DR", "RE+IR", "RE+AP", NO,      NO,      NO,      NO),
    "block":           (NO,      "RE+DR", "RE+IR", NO,      NO,      NO,      NO,      NO),
    "resolve":         (NO,      "RE+DR", "RE+IR", "RE+AP", NO,      NO,      NO,      NO),
    "request changes": (NO,      NO,      "RE+DR", NO,      NO,      NO,      NO,      NO),
    "approve":         (NO,      NO,      "RE+AP", NO,      NO,      NO,      NO,      NO),
    "reject":          (NO,      NO,      "RE+RJ", NO,      NO,      NO,      NO,      NO),
    "release":         (NO,      NO,      NO,      "RE",    "RE",    NO,      NO,      NO),
    "release later":   (NO,      NO,      NO,      "RE+SC", "RE+SC", NO,      NO,      NO),
    "cancel release":  (NO,      NO,      NO,      NO,      "RE+AP", NO,      NO,      NO),
    "revise":          ("RE+DR", NO,      NO,      NO,      NO,      "RE+DR", "EN+DR", NO),
    "retire":          ("RT",    "RT",    "RT",    "RT",    "RT",    "RT",    "RT",    NO),
    "retire later":    ("EN",    "EN+DR", "EN+IR", "EN+AP", "EN+SC", "EN+RJ", "EN",    NO),
    "delete":          (NO,      NO,      NO,      NO,      NO,      NO,      NO,      NO),
    "fire release":    (NONE,    NONE,    NONE,    NONE,    "RE",    NONE,    NONE,    NONE),
    "fire retirement": (NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    "RT",    NONE),
    "fire too early":  (NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE),
    "end too early":   (NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE),
    "assign waiting":  (NONE,    NONE,    "RE+IR", NONE,    NONE,    NONE,    NONE,    NONE),
    "reassign":        (NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE,    NONE),
}
# fmt: on
CELLS: Final = [
    (state, name, expected)
    for states, table in ((FIRST, BEFORE), (LIVE, AFTER))
    for name, row in table.items()
    for state, expected in zip(states, row, strict=True)
]


def seen(state: Program) -> str:
    """Return the code of a state: of the live version (EN when it is to be retired), then of the working one."""
    shown = "" if state.live is None else "EN" if state.pending_retirement else CODES[state.live.state]
    worked = "" if state.working is None else CODES[state.working.state]
    return "+".join(filter(None, (shown, worked))) or CODES[state.state]


def told(state: Program | None, name: str) -> Context:
    """Return what the command is told: erin is free, and there is a comment on the working version."""
    _, principal, after = COMMANDS[name]
    version = state.working.number if state is not None and state.working is not None else 1
    return context(principal, after=after, candidates=(candidate("erin"),), comments=(comment(version=version),))


def outcome(before: Program | None, name: str) -> tuple[str, Program | None]:
    """Return what comes of the command, as the tables say it, and the program after it."""
    given = told(before, name)
    try:
        changes = decide(before, COMMANDS[name][0], given)
    except Refusal as refused:
        return refused.reason, before
    if not changes:
        return NONE, before
    after = apply(before, changes, given)
    return seen(after), after


@pytest.mark.parametrize(("state", "name", "expected"), CELLS)
def test_every_state_allows_exactly_its_commands(state: str, name: str, expected: str) -> None:
    before = STATES[state]
    found, after = outcome(before, name)
    assert found == expected
    assert after is before or (after and after.revision) == (1 if before is None else before.revision + 1)


@pytest.mark.parametrize(("state", "name"), [(state, name) for state, name, expected in CELLS if expected == NO])
def test_a_refusal_by_state_names_the_state_and_the_command(state: str, name: str) -> None:
    before = STATES[state]
    assert before is not None
    with pytest.raises(ProgramState) as refused:
        decide(before, COMMANDS[name][0], told(before, name))
    named = State[refused.value.metadata["state"]]
    assert refused.value.metadata == {"state": named.name, "command": type(COMMANDS[name][0]).__name__}
    assert named in {before.state, *((before.working.state,) if before.working else ())}


def test_the_tables_cover_every_command_and_every_state() -> None:
    assert list(BEFORE) == list(AFTER) == list(COMMANDS)
    assert {type(command) for command, *_ in COMMANDS.values()} == set(get_args(Command))
    assert (*FIRST, *LIVE) == tuple(STATES)
    assert set(CODES) == set(State) - {State.UNSPECIFIED, State.SUPERSEDED}
    assert {code for state in STATES for code in state.removesuffix(" of zoe").split("+")} == {
        *CODES.values(),
        "none",
        "EN",
    }
