"""Random sequences of commands on one program, against a small model of its life."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.refusal import Refusal
from program_svc.domain.changes import CommentAdded, CommentResolved
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
from program_svc.domain.comment import Comment
from program_svc.domain.context import Context, Rules
from program_svc.domain.decide import decide
from program_svc.domain.due import next_due
from program_svc.domain.evolve import apply
from program_svc.domain.evolve_working import resolved
from program_svc.domain.program import Program, State, Version
from program_svc.domain.reviewer import Candidate
from program_svc.domain.versions import left_behind
from tests.unit.program.model import NOTHING, OK, Model, ModelVersion
from tests.unit.program.samples import COMPLETE, NOW, PROGRAM_ID

TITLES: Final = ("Running container platforms", "Running clusters")
CAP: Final = 2


@dataclass(frozen=True)
class Step:
    """One step: who does what, with what, and how many hours pass before it."""

    name: str
    who: str = "alice"
    title: str = TITLES[0]
    tag: str = "containers"
    reviewer: str = ""
    blocking: str = "no"
    number: int = 1
    hours: int = 0


# The ways on, so that chance begins at every place of a program's life.
CREATE, SUBMIT, APPROVE = Step("create"), Step("submit"), Step("approve", "zoe")
RELEASED: Final = (CREATE, SUBMIT, APPROVE, Step("release", "paul"))
REVISED: Final = (*RELEASED, Step("revise"))
WAYS: Final = (
    (),
    (Step("create", "bob"),),
    (Step("import", "dora"), Step("revise", "dora")),
    (CREATE, SUBMIT),
    (CREATE, SUBMIT, Step("comment", "bob", blocking="yes")),
    (CREATE, SUBMIT, Step("reject", "zoe"), Step("revise")),
    (CREATE, SUBMIT, APPROVE, Step("schedule", "paul", number=2)),
    RELEASED,
    REVISED,
    (*REVISED, SUBMIT, APPROVE, Step("schedule", "paul", number=2), Step("retire_later", "paul", number=2)),
)
NAMES: Final = (
    "create", "import", "update", "submit", "submit", "withdraw", "request", "approve", "approve", "reject", "assign",
    "assign_waiting", "reassign", "comment", "resolve", "release", "release", "schedule", "schedule", "cancel",
    "fire_release", "fire_release", "revise", "revise", "retire", "retire_later", "fire_retirement", "delete", "reload",
)  # fmt: skip
PEOPLE: Final = ("alice", "bob", "carol", "dora", "zoe", "paul")
_steps = st.builds(
    Step,
    name=st.sampled_from(NAMES),
    who=st.sampled_from(PEOPLE),
    title=st.sampled_from(TITLES),
    tag=st.sampled_from(("containers", "new")),
    reviewer=st.sampled_from(("", *PEOPLE)),
    blocking=st.sampled_from(("no", "yes")),
    number=st.integers(-1, 3),
    hours=st.sampled_from((0, 0, 0, 1, 2)),
)
_registries = st.dictionaries(st.sampled_from(PEOPLE), st.integers(0, CAP), max_size=4)


@dataclass
class Life:
    """The program as the domain has it, with the comments that its service would keep."""

    rules: Rules
    state: Program | None = None
    comments: tuple[Comment, ...] = ()
    left: tuple[Version, ...] = ()

    def carry_out(self, command: Command, now: Context) -> str:
        """Carry a command out on the present state; tell what came of it."""
        try:
            changes = decide(self.state, command, now)
        except Refusal as refused:
            return refused.reason
        if not changes:
            return NOTHING
        after = apply(self.state, changes, now)
        for change in changes:
            if isinstance(change, CommentAdded):
                self.comments += (change.comment,)
            if isinstance(change, CommentResolved):
                self.comments = tuple(
                    resolved(known, change, now) if known.comment_id == change.comment_id else known
                    for known in self.comments
                )
        self.left += left_behind(self.state, after)
        self.state = after
        return OK


def command_of(step: Step, working: int, comments: int, now: Context) -> Command:
    """Write a step as its command; comments are numbered within their version."""
    content = replace(COMPLETE, title=step.title, tags=(step.tag,))
    time = now.now + timedelta(hours=step.number)
    commands: dict[str, Command] = {
        "create": CreateProgram(PROGRAM_ID, content, ("carol",)),
        "import": ImportProgram(PROGRAM_ID, content),
        "update": UpdateProgram(PROGRAM_ID, content, ("title", "tags")),
        "submit": SubmitProgram(PROGRAM_ID),
        "withdraw": WithdrawProgram(PROGRAM_ID),
        "request": RequestChanges(PROGRAM_ID, "more"),
        "approve": ApproveProgram(PROGRAM_ID),
        "reject": RejectProgram(PROGRAM_ID, "off topic"),
        "assign": AssignReviewer(PROGRAM_ID, step.reviewer),
        "assign_waiting": AssignWaiting(PROGRAM_ID),
        "reassign": ReassignReviews(PROGRAM_ID),
        "comment": AddReviewComment(
            PROGRAM_ID,
            named(working, comments),
            "Why?",
            "title",
            blocking=step.blocking == "yes",
            as_reviewer=True,
        ),
        "resolve": ResolveReviewComment(PROGRAM_ID, named(working, step.number), as_reviewer=True),
        "release": ReleaseProgram(PROGRAM_ID),
        "schedule": ReleaseProgram(PROGRAM_ID, None, time),
        "cancel": CancelScheduledRelease(PROGRAM_ID),
        "fire_release": FireRelease(PROGRAM_ID),
        "fire_retirement": FireRetirement(PROGRAM_ID),
        "revise": ReviseProgram(PROGRAM_ID),
        "retire": RetireProgram(PROGRAM_ID, "outdated"),
        "retire_later": RetireProgram(PROGRAM_ID, "outdated", effective_time=time),
        "delete": DeleteProgram(PROGRAM_ID),
    }
    return commands[step.name]


def named(version: int, number: int) -> UUID:
    return uuid5(PROGRAM_ID, f"{version}.{number}")


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
    steps=st.lists(_steps, min_size=1, max_size=25),
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
