"""Comments on the working version: threads on a field, which block its approval where a reviewer says so."""

from collections.abc import Iterator
from typing import Final, assert_never

from chassis.refusal import InvalidField, Violation
from program_svc.domain.changes import Change, CommentAdded, CommentResolved
from program_svc.domain.commands import AddReviewComment, CommentCommand, ResolveReviewComment
from program_svc.domain.comment import Comment
from program_svc.domain.content_rules import check_texts
from program_svc.domain.context import Context
from program_svc.domain.errors import (
    FourEyes,
    NotAReviewer,
    ProgramState,
    TooManyComments,
    comment_exists,
    comment_not_found,
)
from program_svc.domain.field_path import has_field
from program_svc.domain.preconditions import existing, working
from program_svc.domain.program import Program, State, Version

_COMMENTED: Final = frozenset({State.DRAFT, State.IN_REVIEW, State.APPROVED})
_BLOCKED: Final = frozenset({State.DRAFT, State.IN_REVIEW})


def decide_comment(state: Program | None, command: CommentCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command on comments."""
    match command:
        case AddReviewComment():
            return _add(state, command, context)
        case ResolveReviewComment():
            return _resolve(existing(state, command), command, context)
        case _:
            assert_never(command)


def _add(state: Program | None, command: AddReviewComment, context: Context) -> tuple[Change, ...]:
    check_texts(("text", command.text))
    program = existing(state, command)
    version = _commented(program, command, context)
    faults = tuple(_faults(command, version))
    if faults:
        raise InvalidField("The comment breaks rules of its fields.", violations=faults)
    if command.blocking and program.is_by(context.principal):
        raise FourEyes(context.principal)
    if command.blocking and version.state not in _BLOCKED:  # approved already: it would keep nothing from anything
        raise ProgramState(version.state, command)
    if context.comment(command.comment_id) is not None:
        raise comment_exists(command.comment_id)
    path = command.field_path
    if command.parent_comment_id is not None:
        parent = context.comment(command.parent_comment_id)
        if parent is None or not _is_on(parent, program, version):
            raise comment_not_found(command.parent_comment_id)
        path = parent.field_path
    if version.comment_count >= context.rules.comment_limit:
        raise TooManyComments(context.rules.comment_limit)
    comment = Comment(
        command.comment_id,
        program.program_id,
        version.number,
        command.parent_comment_id,
        path,
        command.text,
        command.blocking,
        context.principal,
        context.now,
    )
    return (CommentAdded(comment),)


def _resolve(program: Program, command: ResolveReviewComment, context: Context) -> tuple[Change, ...]:
    version = _commented(program, command, context)
    comment = context.comment(command.comment_id)
    if comment is None or not _is_on(comment, program, version):
        raise comment_not_found(command.comment_id)
    if not comment.is_open:
        return ()
    if comment.blocking and program.is_by(context.principal):
        raise FourEyes(context.principal)
    return (CommentResolved(comment.comment_id, context.principal, comment.blocking),)


def _commented(program: Program, command: CommentCommand, context: Context) -> Version:
    """Return the working version for one of those who have a say in its review."""
    version = working(program, command)
    if not (command.as_reviewer or program.is_by(context.principal)):
        raise NotAReviewer(context.principal)
    if version.state not in _COMMENTED:
        raise ProgramState(version.state, command)
    return version


def _is_on(comment: Comment, program: Program, version: Version) -> bool:
    return comment.program_id == program.program_id and comment.version == version.number


def _faults(command: AddReviewComment, version: Version) -> Iterator[Violation]:
    if not command.text.strip():
        yield Violation("text", "text.present", "nothing", "what the comment says")
    if command.parent_comment_id is None and not has_field(version.content, command.field_path):
        needed = "a field that the content has, such as title or agenda[1].title"
        yield Violation("field_path", "field_path.content", command.field_path, needed)
