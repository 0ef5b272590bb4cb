import pytest

from chassis.refusal import Refusal
from program_svc.domain.errors import (
    AlreadyApprovedBy,
    AlreadyAssigned,
    FourEyes,
    NotAnAuthor,
    NotAReviewer,
    NotAssigned,
    OpenBlockingComments,
    ProgramRefersToItself,
    ReviewerNotRegistered,
    SuccessorNotReleased,
    comment_exists,
    comment_not_found,
    program_exists,
    program_not_found,
    reviewer_exists,
    reviewer_not_found,
)
from tests.unit.program.samples import COMMENT_ID, PROGRAM_ID


@pytest.mark.parametrize(
    ("refusal", "message"),
    [
        (program_not_found(PROGRAM_ID), f"There is no program {PROGRAM_ID}."),
        (program_exists(PROGRAM_ID), f"The program {PROGRAM_ID} exists already."),
        (comment_not_found(COMMENT_ID), f"There is no comment {COMMENT_ID} on the working version."),
        (comment_exists(COMMENT_ID), f"The comment {COMMENT_ID} exists already."),
        (reviewer_not_found("bob"), "bob is not registered as a reviewer."),
        (reviewer_exists("bob"), "bob is registered as a reviewer already."),
        (FourEyes("bob"), "bob is an author of the program and can't review it."),
        (NotAnAuthor("bob"), "bob is not an author of the program."),
        (NotAReviewer("bob"), "bob is neither an author of the program nor a reviewer."),
        (NotAssigned("bob"), "bob is not one of the reviewers to whom this version is assigned."),
        (AlreadyApprovedBy("bob"), "bob has approved this version already."),
        (AlreadyAssigned("bob"), "bob is assigned to this version already."),
        (ReviewerNotRegistered("bob"), "bob is not registered as a reviewer."),
        (OpenBlockingComments(2), "Blocking comments are open: 2."),
        (ProgramRefersToItself(PROGRAM_ID), "A program can't be its own successor or prerequisite."),
        (SuccessorNotReleased(PROGRAM_ID), f"The successor {PROGRAM_ID} is not a released program."),
    ],
    ids=lambda given: type(given).__name__ if isinstance(given, Refusal) else "",
)
def test_a_refusal_says_what_is_wrong_in_one_sentence(refusal: Refusal, message: str) -> None:
    assert str(refusal) == message
