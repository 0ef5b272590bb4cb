"""Which changes a command makes, or why it is refused.

What is wrong with the command itself is told before what is wrong with the program's state.
"""

from typing import assert_never

from program_svc.domain.assignment import decide_assignment
from program_svc.domain.authoring import decide_authoring
from program_svc.domain.changes import Change
from program_svc.domain.commands import (
    AssignmentCommand,
    AuthoringCommand,
    Command,
    CommentCommand,
    ReleaseCommand,
    RetirementCommand,
    ReviewCommand,
)
from program_svc.domain.commenting import decide_comment
from program_svc.domain.context import Context
from program_svc.domain.program import Program
from program_svc.domain.release import decide_release
from program_svc.domain.retiring import decide_retirement
from program_svc.domain.review import decide_review


def decide(state: Program | None, command: Command, context: Context) -> tuple[Change, ...]:
    """Return the changes that the command makes, none if there is nothing to do, or raise a Refusal."""
    if isinstance(command, AuthoringCommand):
        return decide_authoring(state, command, context)
    if isinstance(command, ReviewCommand):
        return decide_review(state, command, context)
    if isinstance(command, AssignmentCommand):
        return decide_assignment(state, command, context)
    if isinstance(command, CommentCommand):
        return decide_comment(state, command, context)
    if isinstance(command, ReleaseCommand):
        return decide_release(state, command, context)
    if isinstance(command, RetirementCommand):
        return decide_retirement(state, command, context)
    assert_never(command)
