"""Whatever the program, the command and the context are: there is a decision, and it folds."""

from dataclasses import replace
from typing import Final, get_args

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.refusal import Refusal
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
    WaiverRequest,
    WithdrawProgram,
)
from program_svc.domain.content import CONTENT_FIELDS, ProgramContent
from program_svc.domain.context import Context, Rules
from program_svc.domain.decide import decide
from program_svc.domain.due import next_due
from program_svc.domain.evolve import apply
from program_svc.domain.program import Program
from program_svc.domain.versions import left_behind
from tests.unit.program.samples import COMPLETE, OTHER_ID, PROGRAM_ID, instants
from tests.unit.program.strategies import candidates, comments, principals, whole_programs

_anything = st.text(max_size=5)
_contents = st.sampled_from((COMPLETE, ProgramContent(), ProgramContent(title="\x00", language_code="?")))
_waivers = st.none() | st.builds(
    WaiverRequest, st.lists(st.sampled_from(("*", "plan.length", "?"))).map(tuple), _anything
)
_program = st.just(PROGRAM_ID)
_times = st.none() | instants
_known = st.sampled_from((PROGRAM_ID, OTHER_ID))
COMMANDS: Final[dict[type, st.SearchStrategy[Command]]] = {
    CreateProgram: st.builds(CreateProgram, _program, _contents, st.lists(_anything, max_size=2).map(tuple)),
    ImportProgram: st.builds(
        ImportProgram, _program, _contents, _waivers, _anything, st.lists(_anything, max_size=2).map(tuple)
    ),
    UpdateProgram: st.builds(
        UpdateProgram, _program, _contents, st.lists(st.sampled_from((*CONTENT_FIELDS, "?")), max_size=4).map(tuple)
    ),
    AssignReviewer: st.builds(AssignReviewer, _program, st.just("") | principals | _anything),
    AddReviewComment: st.builds(
        AddReviewComment,
        _program,
        _known,
        st.just("Why?") | _anything,
        st.sampled_from(("title", "agenda[0].title")) | _anything,
        st.none() | _known,
        st.booleans(),
        st.booleans(),
    ),
    ResolveReviewComment: st.builds(ResolveReviewComment, _program, _known, st.booleans()),
    RequestChanges: st.builds(RequestChanges, _program, _anything),
    RejectProgram: st.builds(RejectProgram, _program, _anything),
    ReleaseProgram: st.builds(ReleaseProgram, _program, _waivers, _times),
    RetireProgram: st.builds(
        RetireProgram, _program, _anything, st.none() | _known, st.booleans(), _times, st.booleans()
    ),
    **{
        plain: st.builds(plain, _program)
        for plain in (
            SubmitProgram,
            WithdrawProgram,
            ApproveProgram,
            CancelScheduledRelease,
            ReviseProgram,
            DeleteProgram,
            FireRelease,
            FireRetirement,
            AssignWaiting,
            ReassignReviews,
        )
    },
}
contexts = st.builds(
    Context,
    now=instants,
    principal=principals,
    rules=st.builds(Rules, approvals_needed=st.integers(0, 3), comment_limit=st.integers(0, 2)),
    candidates=st.lists(candidates, max_size=3).map(tuple),
    comments=st.lists(st.builds(replace, comments, comment_id=_known), max_size=2).map(tuple),
)


def test_every_command_is_tried() -> None:
    assert set(COMMANDS) == set(get_args(Command))


@settings(max_examples=250)
@given(st.none() | whole_programs, st.one_of(*COMMANDS.values()), contexts)
def test_any_command_on_any_program_is_decided_or_refused(
    state: Program | None, command: Command, context: Context
) -> None:
    try:
        changes = decide(state, command, context)
    except Refusal:
        return
    if state is None:
        assert changes
    after = apply(state, changes, context)
    assert (after is state) == (not changes)
    assert after.revision == (1 if state is None else state.revision + bool(changes))
    left_behind(state, after)
    next_due(after)
