"""Changes as the private record keeps them and the history tells them."""

from typing import assert_never

from training.program.v1 import events_pb2 as events

from program_svc.adapters.mapping_content import FillContent, fill_content
from program_svc.adapters.mapping_review import fill_comment
from program_svc.adapters.mapping_state import fill_retirement
from program_svc.adapters.mapping_values import fill_time
from program_svc.adapters.mapping_version import fill_violations, fill_waivers
from program_svc.domain.changes import (
    AssignmentChange,
    Change,
    ChangesRequested,
    CommentAdded,
    CommentChange,
    CommentResolved,
    ContentChanged,
    ProgramCreated,
    ProgramDeleted,
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    RetirementScheduled,
    ReviewChange,
    ReviewDequeued,
    ReviewerChange,
    ReviewerRegistered,
    ReviewerRemoved,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewerUpdated,
    ReviewQueued,
    ScheduleChange,
    VersionApproved,
    VersionRejected,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionRevised,
    VersionSubmitted,
    VersionWithdrawn,
)


def fill_change(message: events.ProgramChange, change: Change, fill: FillContent = fill_content) -> None:
    """Write a change of a program into its message; setting a kind without fields needs `SetInParent`."""
    if isinstance(change, ProgramCreated):
        message.created.author = change.author
        message.created.co_authors.extend(change.co_authors)
        fill(message.created.content, change.content)
    elif isinstance(change, ContentChanged):
        fill(message.content_changed.content, change.content)
        message.content_changed.fields.extend(change.fields)
    elif isinstance(change, ReviewChange):
        _fill_review(message, change)
    elif isinstance(change, AssignmentChange):
        _fill_assignment(message, change)
    elif isinstance(change, CommentChange):
        _fill_comment(message, change)
    elif isinstance(change, ScheduleChange):
        _fill_schedule(message, change)
    else:
        _fill_turn(message, change)


def _fill_review(message: events.ProgramChange, change: ReviewChange) -> None:
    match change:
        case VersionSubmitted():
            message.submitted.SetInParent()
        case VersionApproved():
            message.approved.reviewer = change.reviewer
            message.approved.complete = change.complete
        case VersionReopened():
            message.reopened.SetInParent()
        case VersionWithdrawn():
            message.withdrawn.SetInParent()
        case ChangesRequested():
            message.changes_requested.reviewer = change.reviewer
            message.changes_requested.text = change.text
        case VersionRejected():
            message.rejected.reviewer = change.reviewer
            message.rejected.reason = change.reason
        case _:
            assert_never(change)


def _fill_assignment(message: events.ProgramChange, change: AssignmentChange) -> None:
    match change:
        case ReviewersAssigned():
            message.reviewers_assigned.SetInParent()
            message.reviewers_assigned.reviewers.extend(change.reviewers)
        case ReviewersDropped():
            message.reviewers_dropped.SetInParent()
            message.reviewers_dropped.reviewers.extend(change.reviewers)
        case ReviewQueued():
            message.review_queued.SetInParent()
        case ReviewDequeued():
            message.review_dequeued.SetInParent()
        case _:
            assert_never(change)


def _fill_comment(message: events.ProgramChange, change: CommentChange) -> None:
    match change:
        case CommentAdded():
            fill_comment(message.comment_added.comment, change.comment)
        case CommentResolved():
            message.comment_resolved.comment_id = str(change.comment_id)
            message.comment_resolved.resolver = change.resolver
            message.comment_resolved.blocking = change.blocking
        case _:
            assert_never(change)


def _fill_schedule(message: events.ProgramChange, change: ScheduleChange) -> None:
    match change:
        case ReleaseScheduled():
            fill_time(message.release_scheduled.release_time, change.release_time)
            fill_waivers(message.release_scheduled.waivers, change.waivers)
        case ReleaseUnscheduled():
            message.release_unscheduled.SetInParent()
        case ReleaseFailed():
            message.release_failed.SetInParent()
            fill_violations(message.release_failed.violations, change.violations)
        case _:
            assert_never(change)


def _fill_turn(
    message: events.ProgramChange,
    change: VersionReleased | VersionRevised | RetirementScheduled | VersionRetired | ProgramDeleted,
) -> None:
    """Write a change of which versions the program has, or of its end."""
    match change:
        case VersionReleased():
            message.released.SetInParent()
            fill_waivers(message.released.waivers, change.waivers)
        case VersionRevised():
            message.revised.version = change.version
        case RetirementScheduled():
            fill_retirement(message.retirement_scheduled.retirement, change.retirement)
        case VersionRetired():
            fill_retirement(message.retired.retirement, change.retirement)
            message.retired.successor_dropped = change.successor_dropped
        case ProgramDeleted():
            message.deleted.SetInParent()
        case _:
            assert_never(change)


def fill_reviewer_change(message: events.ReviewerChange, change: ReviewerChange) -> None:
    """Write a change of a reviewer into its message."""
    match change:
        case ReviewerRegistered():
            message.registered.principal = change.principal
            message.registered.categories.extend(change.categories)
            message.registered.max_open_reviews = change.max_open_reviews
        case ReviewerUpdated():
            message.updated.categories.extend(change.categories)
            message.updated.max_open_reviews = change.max_open_reviews
        case ReviewerRemoved():
            message.removed.SetInParent()
        case _:
            assert_never(change)
