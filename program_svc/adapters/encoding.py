"""Programs and reviewers as stored bytes, events and responses: the ports of the command path, filled by the mapping.

Every response has the aggregate as its field 1, so the stored message is spliced into it as it is.
"""

from uuid import UUID

from training.program.v1 import program_pb2 as pb
from training.program.v1.program_service_pb2 import SubmitProgramResponse
from training.program.v1.review_pb2 import Reviewer as ReviewerMessage

from bus.commands.handling import Revision
from chassis.wire import field
from program_svc.adapters import mapping
from program_svc.adapters.effects import needs_guard, program_effects, reviewer_effects
from program_svc.adapters.rows import program_columns, reviewer_columns
from program_svc.domain.changes import (
    Change,
    CommentAdded,
    CommentResolved,
    ReviewerChange,
    VersionReleased,
    VersionRetired,
)
from program_svc.domain.commands import Command, ResolveReviewComment, ReviewerCommand, SubmitProgram
from program_svc.domain.comment import Comment
from program_svc.domain.content import ProgramContent
from program_svc.domain.context import Context
from program_svc.domain.evolve_working import resolved
from program_svc.domain.program import Program
from program_svc.domain.release_gate import release_warnings
from program_svc.domain.reviewer import Reviewer


def published_size(content: ProgramContent) -> int:
    """Return how many bytes a content takes in the event that publishes it."""
    return mapping.write_content(content).ByteSize()


class ProgramEncoding:
    """Writes programs and what happens to them as messages, and reads them back.

    `reviewers` is the namespace of the ids by which rows name reviewers.
    """

    def __init__(self, reviewers: UUID) -> None:
        self._reviewers = reviewers

    def decode(self, state: bytes) -> Program:
        """Return the program from its stored message."""
        return mapping.from_message(pb.Program.FromString(state))

    def etag(self, state: Program) -> str:
        """Return the etag of the program's definition."""
        return mapping.etag(state)

    def revision(
        self, before: Program | None, after: Program, changes: tuple[Change, ...], command: Command, context: Context
    ) -> Revision:
        """Encode one revision: the new state, the event, the private record, the response, and the rows beside it."""
        fill = mapping.filling_once()
        state = mapping.to_message(after, fill).SerializeToString()
        event_type, public = mapping.event(context.principal, before, after, changes, fill)
        effects = program_effects(before, after, changes, context, reviewers=self._reviewers)
        return Revision(
            columns={**program_columns(after), "state": state},
            event_type=event_type,
            public=public,
            private=mapping.record(type(command).__name__, changes, fill).SerializeToString(),
            response=field(1, state) + _beside(after, command, _comment_after(changes, context), context),
            effects=effects,
            guarded=needs_guard(effects),
            adds_content=not _only_retires(changes),
        )

    def response(self, program: Program, command: Command, context: Context) -> bytes:
        """Encode the response to a command that changed nothing."""
        comment = context.comment(command.comment_id) if isinstance(command, ResolveReviewComment) else None
        return field(1, mapping.to_message(program).SerializeToString()) + _beside(program, command, comment, context)


class ReviewerEncoding:
    """Writes reviewers and what happens to them as messages, and reads them back; nothing of it is public."""

    def decode(self, state: bytes) -> Reviewer:
        """Return the reviewer from their stored message."""
        return mapping.from_reviewer_message(ReviewerMessage.FromString(state))

    def etag(self, state: Reviewer) -> str:
        """Return the etag of the reviewer's definition."""
        return mapping.etag(state)

    def revision(
        self,
        before: Reviewer | None,
        after: Reviewer,
        changes: tuple[ReviewerChange, ...],
        command: ReviewerCommand,
        context: Context,  # noqa: ARG002 - programs need it; both encodings have one shape
    ) -> Revision:
        """Encode one revision: the new state, the private record, the response."""
        state = mapping.to_reviewer_message(after).SerializeToString()
        event_type, public = mapping.ADVANCED
        return Revision(
            columns={**reviewer_columns(after), "state": state},
            event_type=event_type,
            public=public,
            private=mapping.reviewer_record(type(command).__name__, changes).SerializeToString(),
            response=field(1, state),
            effects=reviewer_effects(before),
        )

    def response(self, reviewer: Reviewer, command: ReviewerCommand, context: Context) -> bytes:  # noqa: ARG002 - as above
        """Encode the response to a command that changed nothing."""
        return field(1, mapping.to_reviewer_message(reviewer).SerializeToString())


def _only_retires(changes: tuple[Change, ...]) -> bool:
    """Tell whether the event repeats what was public before, as retired."""
    kinds = set(map(type, changes))
    return VersionRetired in kinds and VersionReleased not in kinds


def _comment_after(changes: tuple[Change, ...], context: Context) -> Comment | None:
    """Return the comment that was made or resolved, as it is now."""
    for change in changes:
        match change:
            case CommentAdded(comment):
                return comment
            case CommentResolved(comment_id) if (known := context.comment(comment_id)) is not None:
                return resolved(known, change, context)
            case _:
                continue
    return None


def _beside(program: Program, command: Command, comment: Comment | None, context: Context) -> bytes:
    """Encode what a response carries beside the program and the token."""
    if comment is not None:
        return field(3, mapping.comment_message(comment).SerializeToString())
    if not isinstance(command, SubmitProgram):
        return b""
    warned = SubmitProgramResponse()
    mapping.fill_violations(warned.warnings, release_warnings(program, context.rules.gate))
    return warned.SerializeToString()
