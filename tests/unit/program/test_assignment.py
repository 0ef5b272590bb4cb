from collections import Counter
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from program_svc.domain.assignment import choose_reviewers
from program_svc.domain.changes import (
    Change,
    ReviewDequeued,
    ReviewersAssigned,
    ReviewersDropped,
    ReviewQueued,
    VersionApproved,
    VersionSubmitted,
)
from program_svc.domain.commands import ApproveProgram, AssignReviewer, AssignWaiting, ReassignReviews, SubmitProgram
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import AlreadyApprovedBy, AlreadyAssigned, FourEyes, ReviewerBusy, ReviewerNotRegistered
from program_svc.domain.evolve import apply
from program_svc.domain.program import Assignment, Program, State
from program_svc.domain.reviewer import Candidate
from tests.unit.program.samples import COMPLETE, NOW, PROGRAM_ID, candidate, carry_out, context, in_work, program
from tests.unit.program.strategies import candidates

SUBMIT = SubmitProgram(PROGRAM_ID)
ANYONE = AssignReviewer(PROGRAM_ID)
WAITING = AssignWaiting(PROGRAM_ID)
REASSIGN = ReassignReviews(PROGRAM_ID)
TWO = Rules(approvals_needed=2)
BOB, DORA, ERIN = candidate("bob", "cloud"), candidate("dora"), candidate("erin")
CATEGORIES = ("cloud", "security")


def chosen(*known: Candidate, wanted: int = 1, excluded: tuple[str, ...] = ()) -> tuple[str, ...]:
    return choose_reviewers(known, wanted, categories=CATEGORIES, excluded=excluded)


def in_review(*changes: Change) -> Program:
    return apply(program(State.IN_REVIEW), changes, context())


def test_the_best_category_cover_comes_first() -> None:
    knowing = candidate("zoe", "cloud", "security", load=2)
    assert chosen(candidate("amy"), candidate("bea", "cloud", "law", "art"), knowing) == ("zoe",)


def test_among_equal_covers_the_smallest_load_comes_first() -> None:
    assert chosen(candidate("amy", "cloud", load=2), candidate("zoe", "security", load=1)) == ("zoe",)


def test_among_equal_loads_who_was_registered_first_comes_first_then_the_name() -> None:
    assert chosen(candidate("amy", registered=2), candidate("zoe", registered=1)) == ("zoe",)
    assert chosen(candidate("zoe"), candidate("amy")) == ("amy",)


def test_a_category_named_twice_covers_once() -> None:
    assert choose_reviewers(
        (candidate("amy", "law", "law"), candidate("zoe", "cloud", "security")),
        1,
        categories=("law", "law", "cloud", "security"),
        excluded=(),
    ) == ("zoe",)


def test_nobody_is_chosen_past_the_cap() -> None:
    assert chosen(candidate("amy", "cloud", load=3), candidate("zoe", load=2)) == ("zoe",)
    assert chosen(candidate("amy", load=3), candidate("bea", load=4), candidate("cleo", load=1, cap=1)) == ()


@given(
    st.lists(candidates, max_size=8, unique_by=lambda given_: given_.principal),
    st.integers(-1, 5),
    st.sets(st.sampled_from("abcdefgh"), max_size=3),
    st.randoms(use_true_random=False),
)
def test_as_many_free_reviewers_are_chosen_as_are_wanted_and_no_better_one_is_left(
    known: list[Candidate], wanted: int, excluded: set[str], shuffle: Random
) -> None:
    names = choose_reviewers(known, wanted, categories=CATEGORIES, excluded=excluded)
    allowed = {given_.principal: given_ for given_ in known if given_.open_reviews < given_.max_open_reviews}
    for name in excluded:
        allowed.pop(name, None)
    assert len(names) == len(set(names)) == max(0, min(wanted, len(allowed)))
    assert set(names) <= set(allowed)

    def covers(name: str) -> int:
        return len(set(allowed[name].categories) & set(CATEGORIES))

    for left in set(allowed) - set(names):
        for taken in names:
            assert covers(taken) >= covers(left)
            if covers(taken) == covers(left):
                assert allowed[taken].open_reviews <= allowed[left].open_reviews
    mixed = list(known)
    shuffle.shuffle(mixed)
    assert choose_reviewers(mixed, wanted, categories=CATEGORIES, excluded=excluded) == names


@given(st.lists(candidates, min_size=1, max_size=6, unique_by=lambda given_: given_.principal), st.integers(1, 40))
def test_reviews_given_out_one_by_one_never_pass_a_cap(known: list[Candidate], reviews: int) -> None:
    load: Counter[str] = Counter({given_.principal: given_.open_reviews for given_ in known})
    for _ in range(reviews):
        now = [replace(given_, open_reviews=load[given_.principal]) for given_ in known]
        load.update(choose_reviewers(now, 1, categories=CATEGORIES, excluded=()))
    for given_ in known:
        assert load[given_.principal] <= max(given_.max_open_reviews, given_.open_reviews)


def test_submitting_assigns_as_many_reviewers_as_approvals_are_needed() -> None:
    known = (DORA, BOB, ERIN)
    assert decide(program(State.DRAFT), SUBMIT, context(candidates=known)) == (
        VersionSubmitted(),
        ReviewersAssigned(("bob",)),
    )
    assert decide(program(State.DRAFT), SUBMIT, context(rules=TWO, candidates=known)) == (
        VersionSubmitted(),
        ReviewersAssigned(("bob", "dora")),
    )
    after = carry_out(program(State.DRAFT), SUBMIT, context(candidates=known))
    assert in_work(after).assignments == (Assignment("bob", NOW),)
    assert in_work(after).waiting_since is None


def test_four_eyes_no_author_is_assigned_automatically() -> None:
    authors = (candidate("alice", "cloud"), candidate("carol", "cloud"))
    assert decide(program(State.DRAFT), SUBMIT, context(candidates=(*authors, ERIN))) == (
        VersionSubmitted(),
        ReviewersAssigned(("erin",)),
    )
    assert decide(program(State.DRAFT), SUBMIT, context(candidates=authors)) == (VersionSubmitted(), ReviewQueued())


def test_a_program_waits_in_the_queue_for_the_reviewers_who_are_not_free() -> None:
    busy = candidate("bob", "cloud", load=3)
    given_ = context(rules=TWO, candidates=(busy, ERIN))
    assert decide(program(State.DRAFT), SUBMIT, given_) == (
        VersionSubmitted(),
        ReviewersAssigned(("erin",)),
        ReviewQueued(),
    )
    after = carry_out(program(State.DRAFT), SUBMIT, given_)
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == (("erin",), NOW)


def test_a_waiting_program_is_assigned_when_someone_is_free() -> None:
    assert decide(program(State.IN_REVIEW), WAITING, context("timekeeper", candidates=(BOB,))) == (
        ReviewersAssigned(("bob",)),
        ReviewDequeued(),
    )


def test_a_waiting_program_waits_on_as_long_as_nobody_is_free() -> None:
    before = program(State.IN_REVIEW)
    assert decide(before, WAITING, context("timekeeper", candidates=(candidate("bob", load=3),))) == ()
    after = carry_out(before, WAITING, context("timekeeper", after=60, rules=TWO, candidates=(BOB,)))
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == (("bob",), NOW)


def test_who_has_approved_is_not_waited_for_again() -> None:
    approved = in_review(VersionApproved("bob", complete=False))
    assert decide(approved, WAITING, context("timekeeper", rules=TWO, candidates=(BOB, DORA, ERIN))) == (
        ReviewersAssigned(("dora",)),
        ReviewDequeued(),
    )
    assert decide(approved, WAITING, context("timekeeper", candidates=(DORA,))) == (ReviewDequeued(),)


def test_an_assignment_by_name_takes_the_program_off_the_queue_when_there_are_enough() -> None:
    by_name = AssignReviewer(PROGRAM_ID, "dora")
    known = (BOB, DORA, ERIN)
    assert decide(program(State.IN_REVIEW), by_name, context("paul", candidates=known)) == (
        ReviewersAssigned(("dora",)),
        ReviewDequeued(),
    )
    assert decide(program(State.IN_REVIEW), by_name, context("paul", rules=TWO, candidates=known)) == (
        ReviewersAssigned(("dora",)),
    )


def test_more_reviewers_than_needed_can_be_assigned_by_name() -> None:
    enough = in_review(ReviewersAssigned(("bob",)), ReviewDequeued())
    after = carry_out(enough, AssignReviewer(PROGRAM_ID, "dora"), context("paul", candidates=(BOB, DORA)))
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == (("bob", "dora"), None)
    assert decide(after, ApproveProgram(PROGRAM_ID), context("dora")) == (VersionApproved("dora", complete=True),)


def test_where_more_approvals_are_needed_than_when_it_was_submitted_the_rest_is_queued() -> None:
    enough = in_review(ReviewersAssigned(("bob",)), ReviewDequeued())
    three = Rules(approvals_needed=3)
    assert decide(enough, AssignReviewer(PROGRAM_ID, "dora"), context("paul", rules=three, candidates=(DORA,))) == (
        ReviewersAssigned(("dora",)),
        ReviewQueued(),
    )
    assert decide(enough, ANYONE, context("paul", rules=three)) == (ReviewQueued(),)


def test_an_automatic_assignment_fills_what_is_missing() -> None:
    known = (BOB, DORA)
    assert decide(program(State.IN_REVIEW), ANYONE, context("paul", candidates=known)) == (
        ReviewersAssigned(("bob",)),
        ReviewDequeued(),
    )
    assert decide(program(State.IN_REVIEW), ANYONE, context("paul")) == ()
    enough = in_review(ReviewersAssigned(("bob",)), ReviewDequeued())
    assert decide(enough, ANYONE, context("paul", candidates=known)) == ()


def test_only_a_registered_reviewer_is_assigned() -> None:
    with pytest.raises(ReviewerNotRegistered) as refused:
        decide(program(State.IN_REVIEW), AssignReviewer(PROGRAM_ID, "zoe"), context("paul", candidates=(BOB,)))
    assert refused.value.metadata == {"principal": "zoe"}


@pytest.mark.parametrize("author", ["alice", "carol"])
def test_four_eyes_no_author_is_assigned_by_name(author: str) -> None:
    with pytest.raises(FourEyes) as refused:
        decide(
            program(State.IN_REVIEW),
            AssignReviewer(PROGRAM_ID, author),
            context("paul", candidates=(candidate(author),)),
        )
    assert refused.value.metadata == {"principal": author}


def test_a_reviewer_is_not_assigned_twice() -> None:
    of_bob = in_review(ReviewersAssigned(("bob",)))
    with pytest.raises(AlreadyAssigned) as refused:
        decide(of_bob, AssignReviewer(PROGRAM_ID, "bob"), context("paul", candidates=(candidate("bob", load=3),)))
    assert refused.value.metadata == {"principal": "bob"}


def test_who_has_approved_is_not_assigned() -> None:
    with pytest.raises(AlreadyApprovedBy) as refused:
        decide(
            in_review(VersionApproved("bob", complete=False)),
            AssignReviewer(PROGRAM_ID, "bob"),
            context("paul", candidates=(BOB,)),
        )
    assert refused.value.metadata == {"principal": "bob"}


def test_a_busy_reviewer_is_not_assigned_by_name() -> None:
    busy = (candidate("bob", load=2, cap=2),)
    with pytest.raises(ReviewerBusy) as refused:
        decide(program(State.IN_REVIEW), AssignReviewer(PROGRAM_ID, "bob"), context("paul", candidates=busy))
    assert refused.value.metadata == {"principal": "bob", "open_reviews": "2", "max_open_reviews": "2"}
    assert str(refused.value) == "bob has 2 open reviews and takes 2."


def test_the_open_reviews_of_a_removed_reviewer_go_to_others() -> None:
    before = in_review(ReviewersAssigned(("zoe", "bob")), ReviewDequeued())
    given_ = context("timekeeper", rules=TWO, candidates=(BOB, ERIN))
    assert decide(before, REASSIGN, given_) == (ReviewersDropped(("zoe",)), ReviewersAssigned(("erin",)))
    after = carry_out(before, REASSIGN, given_)
    assert after is not None
    assert after.assigned == ("bob", "erin")


def test_the_reviews_of_a_removed_reviewer_are_queued_when_nobody_is_free() -> None:
    before = in_review(ReviewersAssigned(("zoe",)), ReviewDequeued())
    assert decide(before, REASSIGN, context("timekeeper")) == (ReviewersDropped(("zoe",)), ReviewQueued())
    waiting = in_review(ReviewersAssigned(("zoe",)))
    after = carry_out(waiting, REASSIGN, context("timekeeper", after=60, rules=TWO))
    assert after is not None
    assert (after.assigned, in_work(after).waiting_since) == ((), NOW)


def test_the_approval_of_a_removed_reviewer_counts() -> None:
    before = in_review(ReviewersAssigned(("zoe", "bob")), ReviewDequeued(), VersionApproved("zoe", complete=False))
    nobody = context("timekeeper", rules=TWO)
    assert decide(before, REASSIGN, context("timekeeper", rules=TWO, candidates=(BOB, ERIN))) == ()
    assert decide(before, REASSIGN, nobody) == (ReviewersDropped(("bob",)), ReviewQueued())
    three = context("timekeeper", rules=Rules(approvals_needed=3), candidates=(ERIN,))
    assert decide(before, REASSIGN, three) == (ReviewersDropped(("bob",)), ReviewersAssigned(("erin",)), ReviewQueued())


def test_a_program_keeps_its_place_in_the_queue_by_when_it_was_submitted() -> None:
    before = in_review(ReviewersAssigned(("zoe",)), ReviewDequeued())
    after = carry_out(before, REASSIGN, context("timekeeper", after=600))
    assert in_work(after).waiting_since == in_work(before).submit_time == NOW


def test_where_everybody_assigned_is_registered_nothing_is_reassigned() -> None:
    before = in_review(ReviewersAssigned(("bob",)))
    assert decide(before, REASSIGN, context("timekeeper", candidates=(BOB, ERIN))) == ()


def test_assignment_looks_at_the_categories_of_the_working_version() -> None:
    lawful = program(State.DRAFT, replace(COMPLETE, categories=("law",)))
    known = (candidate("bob", "cloud"), candidate("erin", "law"))
    assert decide(lawful, SUBMIT, context(candidates=known))[1] == ReviewersAssigned(("erin",))
