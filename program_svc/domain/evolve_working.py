"""How changes make the next state of the working version."""

from dataclasses import replace
from typing import assert_never

from program_svc.domain.changes import (
    AssignmentChange,
    ChangesRequested,
    CommentAdded,
    CommentChange,
    CommentResolved,
    ContentChanged,
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    ReviewChange,
    ReviewDequeued,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewQueued,
    ScheduleChange,
    VersionApproved,
    VersionRejected,
    VersionReopened,
    VersionSubmitted,
    VersionWithdrawn,
    WorkingChange,
)
from program_svc.domain.comment import Comment
from program_svc.domain.context import Context
from program_svc.domain.program import (
    Approval,
    Assignment,
    ChangeRequest,
    Rejection,
    ReleaseFailure,
    State,
    Version,
)


def worked_on(version: Version, change: WorkingChange, context: Context) -> Version:
    """Fold one change of the working version."""
    if isinstance(change, ContentChanged):
        return replace(version, content=change.content, release_failure=None)
    if isinstance(change, ReviewChange):
        return _reviewed(version, change, context)
    if isinstance(change, AssignmentChange):
        return _assigned(version, change, context)
    if isinstance(change, CommentChange):
        return _commented(version, change)
    return _scheduled(version, change, context)


def resolved(comment: Comment, change: CommentResolved, context: Context) -> Comment:
    """Return a comment as its resolution leaves it."""
    return replace(comment, resolver=change.resolver, resolve_time=context.now)


def _reviewed(version: Version, change: ReviewChange, context: Context) -> Version:
    match change:
        case VersionSubmitted():
            submitted = replace(version, state=State.IN_REVIEW, submit_time=context.now, approvals=())
            return replace(submitted, change_request=None, release_failure=None)
        case VersionApproved():
            approvals = (*version.approvals, Approval(change.reviewer, context.now))
            approved = replace(version, approvals=approvals)
            if change.complete:
                return _decided(approved, State.APPROVED)
            return _relieved(approved, (change.reviewer,))
        case VersionRejected():
            rejection = Rejection(change.reviewer, change.reason, context.now)
            return replace(_decided(version, State.REJECTED), rejection=rejection)
        case ChangesRequested():
            request = ChangeRequest(change.reviewer, change.text, context.now)
            return replace(_drafted(version), change_request=request)
        case VersionWithdrawn() | VersionReopened():
            return _drafted(version)
        case _:
            assert_never(change)


def _decided(version: Version, state: State) -> Version:
    """Leave the review: nobody is assigned any more, and nothing waits."""
    return replace(version, state=state, assignments=(), waiting_since=None)


def _drafted(version: Version) -> Version:
    return replace(_decided(version, State.DRAFT), submit_time=None, approvals=())


def _assigned(version: Version, change: AssignmentChange, context: Context) -> Version:
    match change:
        case ReviewersAssigned():
            added = tuple(Assignment(reviewer, context.now) for reviewer in change.reviewers)
            return replace(version, assignments=(*version.assignments, *added))
        case ReviewersDropped():
            return _relieved(version, change.reviewers)
        case ReviewQueued():
            return replace(version, waiting_since=version.submit_time or context.now)
        case ReviewDequeued():
            return replace(version, waiting_since=None)
        case _:
            assert_never(change)


def _relieved(version: Version, reviewers: tuple[str, ...]) -> Version:
    kept = tuple(given for given in version.assignments if given.reviewer not in reviewers)
    return replace(version, assignments=kept)


def _commented(version: Version, change: CommentChange) -> Version:
    match change:
        case CommentAdded(comment):
            blocking = version.open_blocking_comments + comment.blocking
            return replace(version, comment_count=version.comment_count + 1, open_blocking_comments=blocking)
        case CommentResolved():
            blocking = max(0, version.open_blocking_comments - change.blocking)
            return replace(version, open_blocking_comments=blocking)
        case _:
            assert_never(change)


def _scheduled(version: Version, change: ScheduleChange, context: Context) -> Version:
    match change:
        case ReleaseScheduled(release_time, waivers):
            scheduled = replace(version, state=State.SCHEDULED, release_time=release_time, waivers=waivers)
            return replace(scheduled, release_failure=None)
        case ReleaseUnscheduled():
            return _unscheduled(version)
        case ReleaseFailed():
            return replace(_unscheduled(version), release_failure=ReleaseFailure(context.now, change.violations))
        case _:
            assert_never(change)


def _unscheduled(version: Version) -> Version:
    return replace(version, state=State.APPROVED, release_time=None, waivers=())
