"""Who reviews what: by name, or by the categories that reviewers know and by their load.

Whether a reviewer takes another review is checked here on what was read; the commit checks it again with their rows
locked, so that no race passes the cap.
"""

from collections.abc import Collection, Iterable
from typing import assert_never

from program_svc.domain.changes import (
    AssignmentChange,
    Change,
    ReviewDequeued,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewQueued,
)
from program_svc.domain.commands import AssignmentCommand, AssignReviewer, AssignWaiting, ReassignReviews
from program_svc.domain.content import ProgramContent
from program_svc.domain.context import Context
from program_svc.domain.errors import AlreadyApprovedBy, AlreadyAssigned, FourEyes, ReviewerBusy, ReviewerNotRegistered
from program_svc.domain.preconditions import existing, in_review, known
from program_svc.domain.program import Program, Version
from program_svc.domain.reviewer import Candidate


def choose_reviewers(
    candidates: Iterable[Candidate], wanted: int, *, categories: Collection[str], excluded: Collection[str]
) -> tuple[str, ...]:
    """Choose as many free reviewers as are wanted, or as there are.

    Those who know most of the categories come first, then those with the smallest load, then those registered longest.
    """

    def rank(candidate: Candidate) -> tuple[object, ...]:
        cover = len(set(categories).intersection(candidate.categories))
        return (-cover, candidate.open_reviews, candidate.register_time, candidate.principal)

    free = [candidate for candidate in candidates if candidate.is_free and candidate.principal not in excluded]
    return tuple(candidate.principal for candidate in sorted(free, key=rank)[: max(wanted, 0)])


def missing_reviewers(
    program: Program, content: ProgramContent, context: Context, *, busy: Collection[str] = (), waiting: bool = False
) -> tuple[AssignmentChange, ...]:
    """Assign the reviewers missing beside those `busy` with the version; queue it for those it can't have yet."""
    missing = context.rules.approvals_needed - len(busy)
    excluded = {program.author, *program.co_authors, *busy}
    chosen = choose_reviewers(context.candidates, missing, categories=content.categories, excluded=excluded)
    assigned = (ReviewersAssigned(chosen),) if chosen else ()
    return (*assigned, *_queue(missing - len(chosen), waiting=waiting))


def queue_for_others(version: Version, context: Context) -> tuple[AssignmentChange, ...]:
    """Queue a version for the approvals that it lacks beside that of the principal and of those still assigned."""
    missing = context.rules.approvals_needed - len({*_busy(version), context.principal})
    return _queue(missing, waiting=version.waiting_since is not None)


def decide_assignment(state: Program | None, command: AssignmentCommand, context: Context) -> tuple[Change, ...]:
    """Return the changes of a command on the assignments of a program."""
    match command:
        case AssignReviewer(reviewer=""):
            program = existing(state, command)
            return _fill(program, in_review(program, command), context)
        case AssignReviewer():
            return _assign(existing(state, command), command, context)
        case AssignWaiting():
            return _assign_waiting(known(state, command), context)
        case ReassignReviews():
            return _reassign(known(state, command), context)
        case _:
            assert_never(command)


def _assign(program: Program, command: AssignReviewer, context: Context) -> tuple[Change, ...]:
    version, reviewer = in_review(program, command), command.reviewer
    if program.is_by(reviewer):
        raise FourEyes(reviewer)
    candidate = context.candidate(reviewer)
    if candidate is None:
        raise ReviewerNotRegistered(reviewer)
    if version.is_assigned_to(reviewer):
        raise AlreadyAssigned(reviewer)
    if version.is_approved_by(reviewer):
        raise AlreadyApprovedBy(reviewer)
    if not candidate.is_free:
        raise ReviewerBusy(candidate)
    missing = context.rules.approvals_needed - len({*_busy(version), reviewer})
    return (ReviewersAssigned((reviewer,)), *_queue(missing, waiting=version.waiting_since is not None))


def _fill(program: Program, version: Version, context: Context) -> tuple[Change, ...]:
    waiting = version.waiting_since is not None
    return missing_reviewers(program, version.content, context, busy=_busy(version), waiting=waiting)


def _assign_waiting(program: Program, context: Context) -> tuple[Change, ...]:
    version = program.working
    if version is None or version.waiting_since is None:
        return ()
    return _fill(program, version, context)


def _reassign(program: Program, context: Context) -> tuple[Change, ...]:
    version = program.working
    gone = tuple(principal for principal in program.assigned if context.candidate(principal) is None)
    if version is None or not gone:
        return ()
    approvers = {approval.reviewer for approval in version.approvals}
    busy = _busy(version).difference(gone) | approvers
    waiting = version.waiting_since is not None
    return (
        ReviewersDropped(gone),
        *missing_reviewers(program, version.content, context, busy=busy, waiting=waiting),
    )


def _busy(version: Version) -> set[str]:
    """Return those whose approval the version has, or is to have."""
    assigned = {assignment.reviewer for assignment in version.assignments}
    return assigned | {approval.reviewer for approval in version.approvals}


def _queue(missing: int, *, waiting: bool) -> tuple[AssignmentChange, ...]:
    if waiting:
        return () if missing > 0 else (ReviewDequeued(),)
    return (ReviewQueued(),) if missing > 0 else ()
