"""Hypothesis strategies for whole programs, with every field, and for everything that can happen to them."""

from hypothesis import strategies as st

from chassis.refusal import Violation
from program_svc.domain.changes import (
    ChangesRequested,
    CommentAdded,
    CommentResolved,
    ContentChanged,
    ProgramCreated,
    ProgramDeleted,
    ReleaseFailed,
    ReleaseScheduled,
    ReleaseUnscheduled,
    RetirementScheduled,
    ReviewDequeued,
    ReviewerRegistered,
    ReviewerRemoved,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewerUpdated,
    ReviewQueued,
    VersionApproved,
    VersionRejected,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionRevised,
    VersionSubmitted,
    VersionWithdrawn,
)
from program_svc.domain.comment import Comment
from program_svc.domain.content import ProgramContent
from program_svc.domain.program import (
    Approval,
    Assignment,
    ChangeRequest,
    Program,
    Rejection,
    ReleaseFailure,
    State,
    Version,
)
from program_svc.domain.reviewer import Candidate, Reviewer, ReviewerState
from tests.unit.program.samples import COMPLETE, NOW, ids, instants, retirements, texts, waivers

principals = st.sampled_from(("alice", "bob", "carol", "dora", "erin"))
_reviewers = st.lists(principals, max_size=3, unique=True).map(tuple)
_waivers = st.lists(waivers, max_size=2).map(tuple)
_violations = st.lists(st.builds(Violation, texts, texts, texts, texts), max_size=2).map(tuple)
_times = st.none() | instants
# What a version says hardly matters to what happens to it, and is costly to make up.
_contents = st.sampled_from((COMPLETE, ProgramContent(), ProgramContent(title="Welding", categories=("48.0508",))))
_counts = st.integers(0, 2**31 - 1)
comments = st.builds(
    Comment,
    comment_id=ids,
    program_id=ids,
    version=_counts,
    parent_comment_id=st.none() | ids,
    field_path=texts,
    text=texts,
    blocking=st.booleans(),
    author=principals,
    create_time=instants,
    resolver=st.just("") | principals,
    resolve_time=_times,
)
versions = st.builds(
    Version,
    number=_counts,
    state=st.sampled_from(State),
    content=_contents,
    submit_time=_times,
    approvals=st.lists(st.builds(Approval, principals, instants), max_size=2).map(tuple),
    release_time=_times,
    waivers=_waivers,
    release_failure=st.none() | st.builds(ReleaseFailure, instants, _violations),
    assignments=st.lists(st.builds(Assignment, principals, instants), max_size=2).map(tuple),
    waiting_since=_times,
    open_blocking_comments=_counts,
    comment_count=_counts,
    rejection=st.none() | st.builds(Rejection, principals, texts, instants),
    change_request=st.none() | st.builds(ChangeRequest, principals, texts, instants),
)
whole_programs = st.builds(
    Program,
    program_id=ids,
    revision=st.integers(1, 2**62),
    definition_revision=st.integers(1, 2**62),
    definition_time=instants,
    create_time=instants,
    update_time=instants,
    author=principals,
    co_authors=_reviewers,
    working=st.none() | versions,
    live=st.none() | versions,
    retirement=st.none() | retirements,
    version_count=_counts,
    pending_retirement=st.none() | retirements,
    public_revision=st.integers(0, 2**62),
    public_time=_times,
)
changes = st.one_of(
    st.builds(ProgramCreated, ids, principals, _reviewers, st.just(COMPLETE)),
    st.builds(ContentChanged, _contents, st.just(("title",))),
    st.just(VersionSubmitted()),
    st.builds(VersionApproved, principals, st.booleans()),
    st.builds(VersionReleased, _waivers),
    st.builds(VersionRetired, retirements),
    st.just(VersionReopened()),
    st.just(VersionWithdrawn()),
    st.builds(ChangesRequested, principals, texts),
    st.builds(VersionRejected, principals, texts),
    st.builds(ReviewersAssigned, _reviewers),
    st.builds(ReviewersDropped, _reviewers),
    st.just(ReviewQueued()),
    st.just(ReviewDequeued()),
    st.builds(CommentAdded, comments),
    st.builds(CommentResolved, ids, principals, st.booleans()),
    st.builds(ReleaseScheduled, instants, _waivers),
    st.just(ReleaseUnscheduled()),
    st.builds(ReleaseFailed, _violations),
    st.builds(VersionRevised, _counts),
    st.builds(RetirementScheduled, retirements),
    st.just(ProgramDeleted()),
)
candidates = st.builds(
    Candidate,
    principal=st.sampled_from("abcdefgh"),
    categories=st.lists(st.sampled_from(("cloud", "security", "law")), max_size=3, unique=True).map(tuple),
    open_reviews=st.integers(0, 4),
    max_open_reviews=st.integers(1, 4),
    register_time=st.just(NOW) | instants,
)
reviewers = st.builds(
    Reviewer,
    principal=principals,
    revision=st.integers(1, 2**62),
    definition_revision=st.integers(1, 2**62),
    definition_time=instants,
    create_time=instants,
    update_time=instants,
    state=st.sampled_from((ReviewerState.REGISTERED, ReviewerState.REMOVED)),
    register_time=instants,
    categories=_reviewers,
    max_open_reviews=st.integers(1, 100),
)
reviewer_changes = st.one_of(
    st.builds(ReviewerRegistered, principals, _reviewers, st.integers(1, 100)),
    st.builds(ReviewerUpdated, _reviewers, st.integers(1, 100)),
    st.just(ReviewerRemoved()),
)
