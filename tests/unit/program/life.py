"""Lives of one program: steps as commands, and the program as the domain has it after them."""

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final
from uuid import UUID, uuid5

from hypothesis import strategies as st

from chassis.refusal import Refusal
from program_svc.domain.changes import Change, CommentAdded, CommentResolved
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
from program_svc.domain.evolve import apply
from program_svc.domain.evolve_working import resolved
from program_svc.domain.program import Program, Version
from program_svc.domain.versions import left_behind
from tests.unit.program.model import NOTHING, OK
from tests.unit.program.samples import COMPLETE, PROGRAM_ID

TITLES: Final = ("Running container platforms", "Running clusters")


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
any_step = st.builds(
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


@dataclass
class Life:
    """The program as the domain has it, with the comments that its service would keep."""

    rules: Rules
    state: Program | None = None
    comments: tuple[Comment, ...] = ()
    left: tuple[Version, ...] = ()
    changes: tuple[Change, ...] = ()

    def carry_out(self, command: Command, now: Context) -> str:
        """Carry a command out on the present state; tell what came of it. Its `changes` are kept."""
        self.changes = ()
        try:
            self.changes = changes = decide(self.state, command, now)
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
