"""Reviewers and their comments between the domain and their messages, which is also how they are stored."""

from typing import Final

from training.program.v1 import review_pb2 as pb

from chassis.refusal import Violation
from program_svc.adapters.mapping_state import etag, read_etag
from program_svc.adapters.mapping_values import (
    fill_time,
    read_id,
    read_optional_id,
    read_time,
    refuse,
    write_optional_id,
)
from program_svc.domain.comment import Comment
from program_svc.domain.reviewer import Reviewer, ReviewerState

_STATES: Final = {int(state): state for state in ReviewerState}
_WIRE_STATES: Final = {state: pb.Reviewer.State.ValueType(int(state)) for state in ReviewerState}


def to_reviewer_message(reviewer: Reviewer) -> pb.Reviewer:
    """Write a reviewer as a message, without the load: that is counted elsewhere."""
    message = pb.Reviewer(
        principal=reviewer.principal,
        revision=reviewer.revision,
        etag=etag(reviewer),
        state=_WIRE_STATES[reviewer.state],
        categories=reviewer.categories,
        max_open_reviews=reviewer.max_open_reviews,
    )
    fill_time(message.create_time, reviewer.create_time)
    fill_time(message.update_time, reviewer.update_time)
    fill_time(message.register_time, reviewer.register_time)
    return message


def from_reviewer_message(message: pb.Reviewer) -> Reviewer:
    """Read a reviewer from its message; raises InvalidField for one that no reviewer can be."""
    faults: list[Violation] = []
    definition_revision, definition_time = read_etag(message.etag, faults)
    state = _STATES.get(message.state)
    if state is None:
        faults.append(Violation("state", "enum.defined", str(message.state), "a state that is defined"))
        state = ReviewerState.UNSPECIFIED
    reviewer = Reviewer(
        principal=message.principal,
        revision=message.revision,
        definition_revision=definition_revision,
        definition_time=definition_time,
        create_time=read_time(message.create_time, "create_time", faults),
        update_time=read_time(message.update_time, "update_time", faults),
        state=state,
        register_time=read_time(message.register_time, "register_time", faults),
        categories=tuple(message.categories),
        max_open_reviews=message.max_open_reviews,
    )
    refuse(faults)
    return reviewer


def comment_message(comment: Comment) -> pb.ReviewComment:
    """Write a comment as a message of its own."""
    message = pb.ReviewComment()
    fill_comment(message, comment)
    return message


def fill_comment(message: pb.ReviewComment, comment: Comment) -> None:
    """Write a comment into a new message where it stands."""
    message.comment_id = str(comment.comment_id)
    message.program_id = str(comment.program_id)
    message.version = comment.version
    message.parent_comment_id = write_optional_id(comment.parent_comment_id)
    message.field_path = comment.field_path
    message.text = comment.text
    message.blocking = comment.blocking
    message.author = comment.author
    fill_time(message.create_time, comment.create_time)
    message.resolver = comment.resolver
    if comment.resolve_time is not None:
        fill_time(message.resolve_time, comment.resolve_time)


def read_comment(message: pb.ReviewComment) -> Comment:
    """Read a comment from its message; raises InvalidField for one that no comment can be."""
    faults: list[Violation] = []
    comment = Comment(
        comment_id=read_id(message.comment_id, "comment_id", faults),
        program_id=read_id(message.program_id, "program_id", faults),
        version=message.version,
        parent_comment_id=read_optional_id(message.parent_comment_id, "parent_comment_id", faults),
        field_path=message.field_path,
        text=message.text,
        blocking=message.blocking,
        author=message.author,
        create_time=read_time(message.create_time, "create_time", faults),
        resolver=message.resolver,
        resolve_time=(
            read_time(message.resolve_time, "resolve_time", faults) if message.HasField("resolve_time") else None
        ),
    )
    refuse(faults)
    return comment
