from dataclasses import replace

import pytest

from chassis.refusal import InvalidField, ResourceExists, ResourceNotFound
from program_svc.domain.changes import CommentAdded, CommentResolved
from program_svc.domain.commands import AddReviewComment, ResolveReviewComment
from program_svc.domain.comment import Comment
from program_svc.domain.content import CONTENT_FIELDS
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import FourEyes, NotAReviewer, ProgramState, TooManyComments
from program_svc.domain.evolve import apply
from program_svc.domain.evolve_working import resolved
from program_svc.domain.program import Program, State
from tests.unit.program.samples import (
    COMMENT_ID,
    COMPLETE,
    NOW,
    OTHER_ID,
    PROGRAM_ID,
    carry_out,
    comment,
    context,
    in_work,
    program,
    revised,
)

RESOLVE = ResolveReviewComment(PROGRAM_ID, COMMENT_ID, as_reviewer=True)
AS_AUTHOR = replace(RESOLVE, as_reviewer=False)


def said(
    text: str = "Why?", path: str = "plan", *, answers: bool = False, blocking: bool = False, as_reviewer: bool = True
) -> AddReviewComment:
    parent = COMMENT_ID if answers else None
    return AddReviewComment(PROGRAM_ID, OTHER_ID, text, path, parent, blocking, as_reviewer)


def blocked() -> Program:
    return apply(program(State.IN_REVIEW), (CommentAdded(comment(blocking=True)),), context())


def test_a_reviewer_comments_on_a_field() -> None:
    assert decide(program(State.IN_REVIEW), said(blocking=True), context("bob")) == (
        CommentAdded(Comment(OTHER_ID, PROGRAM_ID, 1, None, "plan", "Why?", True, "bob", NOW)),  # noqa: FBT003 - a field
    )


def test_a_comment_is_on_the_working_version() -> None:
    changes = decide(revised(State.RELEASED, State.DRAFT), said(), context("bob"))
    assert [change.comment.version for change in changes if isinstance(change, CommentAdded)] == [2]


@pytest.mark.parametrize("author", ["alice", "carol"])
def test_authors_comment_and_answer_without_the_role_of_a_reviewer(author: str) -> None:
    for command in (said(as_reviewer=False), said(answers=True, as_reviewer=False)):
        assert decide(program(State.IN_REVIEW), command, context(author, comments=(comment(),)))


@pytest.mark.parametrize("command", [said(as_reviewer=False), AS_AUTHOR], ids=["comments", "resolves"])
def test_who_is_neither_an_author_nor_a_reviewer_has_no_say(command: AddReviewComment | ResolveReviewComment) -> None:
    with pytest.raises(NotAReviewer) as refused:
        decide(program(State.IN_REVIEW), command, context("mallory", comments=(comment(),)))
    assert refused.value.metadata == {"principal": "mallory"}


@pytest.mark.parametrize("author", ["alice", "carol"])
def test_four_eyes_no_author_blocks_or_resolves_what_blocks(author: str) -> None:
    for command in (said(blocking=True), RESOLVE):
        with pytest.raises(FourEyes) as refused:
            decide(blocked(), command, context(author, comments=(comment(blocking=True),)))
        assert refused.value.metadata == {"principal": author}


def test_an_answer_is_about_the_field_of_its_parent() -> None:
    on_agenda = comment(path="agenda[1].title")
    (added,) = decide(program(State.IN_REVIEW), said(path="ignored!", answers=True), context(comments=(on_agenda,)))
    assert isinstance(added, CommentAdded)
    assert (added.comment.field_path, added.comment.parent_comment_id) == ("agenda[1].title", COMMENT_ID)


@pytest.mark.parametrize(
    "elsewhere",
    [(), (comment(version=2),), (replace(comment(), program_id=OTHER_ID),)],
    ids=["nowhere", "on another version", "on another program"],
)
def test_only_a_comment_on_the_working_version_is_answered_or_resolved(elsewhere: tuple[Comment, ...]) -> None:
    for command in (said(answers=True), RESOLVE):
        with pytest.raises(ResourceNotFound) as refused:
            decide(program(State.IN_REVIEW), command, context("bob", comments=elsewhere))
        assert refused.value.metadata == {
            "resource_type": "training.program.v1.ReviewComment",
            "resource_name": str(COMMENT_ID),
        }


def test_the_id_of_a_comment_is_given_once() -> None:
    taken = replace(comment(), comment_id=OTHER_ID)
    with pytest.raises(ResourceExists) as refused:
        decide(program(State.IN_REVIEW), said(), context("bob", comments=(taken,)))
    assert refused.value.metadata == {
        "resource_type": "training.program.v1.ReviewComment",
        "resource_name": str(OTHER_ID),
    }


@pytest.mark.parametrize(
    "path",
    [
        *CONTENT_FIELDS,
        "agenda[1]",
        "agenda[1].duration",
        "agenda[0].topics[1]",
        "localizations[DE].plan",
        "localizations[0].plan",
        "prerequisites.program_ids[0]",
        "tags[0]",
    ],
)
def test_a_comment_is_on_a_field_of_the_content(path: str) -> None:
    assert decide(program(State.DRAFT), said(path=path), context("bob"))


@pytest.mark.parametrize(
    "path",
    [
        *("", "nothing", "content.title", "title.", "agenda[", "agenda[].title", "agenda[0]title", "titlé", "title\n"),
        *("agenda[2]", "agenda[2].title", "agenda[-1].title", "agenda[x].title", "agenda[0].topics[2]", "agenda.title"),
        *("title[0]", "title.text", "localizations[fr].plan", "localizations[de].agenda", "tags[de]", "level.name"),
    ],
)
def test_a_comment_on_no_field_of_the_content_is_an_invalid_field(path: str) -> None:
    with pytest.raises(InvalidField) as refused:
        decide(program(State.DRAFT), said(path=path), context("bob"))
    assert [(found.field, found.rule, found.found) for found in refused.value.violations] == [
        ("field_path", "field_path.content", path)
    ]


def test_prerequisites_that_there_are_not_yet_can_be_commented_on() -> None:
    bare = program(State.DRAFT, replace(COMPLETE, prerequisites=None))
    assert decide(bare, said(path="prerequisites.text"), context("bob"))
    with pytest.raises(InvalidField):
        decide(bare, said(path="prerequisites.program_ids[0]"), context("bob"))


def test_what_is_approved_is_commented_on_but_not_blocked_any_more() -> None:
    assert decide(program(State.APPROVED), said(), context("bob"))
    with pytest.raises(ProgramState) as refused:
        decide(program(State.APPROVED), said(blocking=True), context("bob"))
    assert refused.value.metadata == {"state": "APPROVED", "command": "AddReviewComment"}


def test_a_comment_says_something() -> None:
    with pytest.raises(InvalidField) as refused:
        decide(program(State.DRAFT), said(" \n", path="nothing"), context("bob"))
    assert [(found.field, found.rule) for found in refused.value.violations] == [
        ("text", "text.present"),
        ("field_path", "field_path.content"),
    ]


def test_a_comment_has_no_control_characters() -> None:
    with pytest.raises(InvalidField) as refused:
        decide(program(State.DRAFT), said("a\x00"), context("bob"))
    assert [(found.field, found.rule) for found in refused.value.violations] == [("text", "text.control_characters")]


def test_a_version_has_a_limited_number_of_comments() -> None:
    two = Rules(comment_limit=2)
    first = carry_out(program(State.DRAFT), said(), context("bob", rules=two))
    second = carry_out(first, said(), context("bob", rules=two))
    assert in_work(second).comment_count == 2
    with pytest.raises(TooManyComments) as refused:
        decide(second, said(), context("bob", rules=two))
    assert refused.value.metadata == {"limit": "2"}
    assert str(refused.value) == "A version has at most 2 comments."


def test_open_blocking_comments_are_counted_until_they_are_resolved() -> None:
    before = apply(blocked(), (CommentAdded(comment()),), context())
    assert (in_work(before).open_blocking_comments, in_work(before).comment_count) == (1, 2)
    after = carry_out(before, RESOLVE, context("dora", comments=(comment(blocking=True),)))
    assert (in_work(after).open_blocking_comments, in_work(after).comment_count) == (0, 2)
    after = carry_out(before, RESOLVE, context("dora", comments=(comment(),)))
    assert in_work(after).open_blocking_comments == 1


def test_a_blocking_comment_is_resolved_by_any_reviewer_who_is_no_author() -> None:
    assert decide(blocked(), RESOLVE, context("dora", comments=(comment(blocking=True),))) == (
        CommentResolved(COMMENT_ID, "dora", blocking=True),
    )


@pytest.mark.parametrize("writer", ["alice", "bob"])
def test_an_author_resolves_what_does_not_block(writer: str) -> None:
    given = context("carol", comments=(comment(author=writer),))
    assert decide(program(State.DRAFT), AS_AUTHOR, given) == (CommentResolved(COMMENT_ID, "carol", blocking=False),)


@pytest.mark.parametrize("principal", ["alice", "bob"])
def test_resolving_a_resolved_comment_changes_nothing(principal: str) -> None:
    done = resolved(comment(blocking=True), CommentResolved(COMMENT_ID, "dora", blocking=True), context(after=5))
    assert decide(program(State.DRAFT), RESOLVE, context(principal, comments=(done,))) == ()


def test_a_resolved_comment_tells_who_resolved_it_and_when() -> None:
    given = context("dora", after=5)
    done = resolved(comment(), CommentResolved(COMMENT_ID, "dora", blocking=False), given)
    assert (done.resolver, done.resolve_time, done.is_open, comment().is_open) == ("dora", given.now, False, True)
    assert replace(done, resolver="", resolve_time=None) == comment()
