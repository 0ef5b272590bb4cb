from dataclasses import replace

import pytest

from chassis.refusal import InvalidField, ResourceExists, ResourceNotFound
from program_svc.domain.changes import (
    ContentChanged,
    ProgramCreated,
    ProgramDeleted,
    ReleaseFailed,
    VersionReopened,
    VersionRevised,
)
from program_svc.domain.commands import CreateProgram, DeleteProgram, ReviseProgram, SubmitProgram, UpdateProgram
from program_svc.domain.content import CONTENT_FIELDS, Prerequisites, ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import LockedInReview, NotAnAuthor, ProgramRefersToItself, ProgramState
from program_svc.domain.evolve import apply
from program_svc.domain.program import State
from tests.unit.program.samples import (
    COMPLETE,
    LATER,
    PROGRAM_ID,
    carry_out,
    context,
    in_work,
    live,
    program,
    revised,
)

RENAMED = replace(COMPLETE, title="Running clusters", summary="Other words")


def update(*fields: str, content: ProgramContent = RENAMED) -> UpdateProgram:
    return UpdateProgram(PROGRAM_ID, content, fields)


def test_a_program_is_created_by_its_author_with_a_first_version_in_draft() -> None:
    made = carry_out(None, CreateProgram(PROGRAM_ID, COMPLETE, ("carol",)), context("alice"))
    assert made is not None
    assert made.working is not None
    assert (made.author, made.co_authors, made.revision, made.state) == ("alice", ("carol",), 1, State.DRAFT)
    assert (made.working.number, made.working.content, made.live) == (1, COMPLETE, None)


def test_a_draft_may_lack_everything() -> None:
    assert decide(None, CreateProgram(PROGRAM_ID, ProgramContent()), context()) == (
        ProgramCreated(PROGRAM_ID, "alice", (), ProgramContent()),
    )


def test_a_program_is_not_created_twice() -> None:
    with pytest.raises(ResourceExists) as refused:
        decide(program(State.DRAFT), CreateProgram(PROGRAM_ID, COMPLETE), context())
    assert refused.value.metadata == {
        "resource_type": "training.program.v1.Program",
        "resource_name": str(PROGRAM_ID),
    }


def test_a_command_on_an_unknown_program_is_refused() -> None:
    with pytest.raises(ResourceNotFound) as refused:
        decide(None, SubmitProgram(PROGRAM_ID), context())
    assert refused.value.metadata["resource_name"] == str(PROGRAM_ID)


def test_an_update_takes_only_the_named_fields() -> None:
    changed = replace(COMPLETE, title=RENAMED.title)
    assert decide(program(State.DRAFT), update("title"), context()) == (ContentChanged(changed, ("title",)),)


def test_an_update_lists_the_fields_that_differ_in_the_order_of_the_content() -> None:
    changes = decide(program(State.DRAFT), update("summary", "plan", "title"), context())
    assert changes == (ContentChanged(RENAMED, ("title", "summary")),)


def test_an_update_with_nothing_changed_makes_no_revision() -> None:
    assert decide(program(State.DRAFT), update(*CONTENT_FIELDS, content=COMPLETE), context()) == ()
    assert decide(program(State.DRAFT), update(), context()) == ()


def test_a_co_author_edits_and_submits() -> None:
    assert decide(program(State.DRAFT), update("title"), context("carol"))
    assert decide(program(State.DRAFT), SubmitProgram(PROGRAM_ID), context("carol"))


@pytest.mark.parametrize("command", [update("title"), SubmitProgram(PROGRAM_ID)])
def test_only_an_author_or_co_author_edits_and_submits(command: UpdateProgram | SubmitProgram) -> None:
    with pytest.raises(NotAnAuthor) as refused:
        decide(program(State.DRAFT), command, context("mallory"))
    assert refused.value.metadata == {"principal": "mallory"}


def test_content_is_locked_in_review() -> None:
    with pytest.raises(LockedInReview):
        decide(program(State.IN_REVIEW), update("tags"), context())


def test_editing_an_approved_version_sends_it_back_to_draft() -> None:
    approved = program(State.APPROVED)
    assert decide(approved, update("title"), context())[1:] == (VersionReopened(),)
    after = carry_out(approved, update("title"), context())
    assert after is not None
    assert after.working is not None
    assert (after.state, after.working.approvals, after.working.submit_time) == (State.DRAFT, (), None)
    assert after.revision == approved.revision + 1


@pytest.mark.parametrize("fields", [("tags",), ("cover_image_uri",), ("tags", "cover_image_uri")])
def test_an_approved_version_stays_approved_when_only_exempt_fields_change(fields: tuple[str, ...]) -> None:
    content = replace(COMPLETE, tags=("new",), cover_image_uri="https://images.example/new.png")
    after = carry_out(program(State.APPROVED), update(*fields, content=content), context())
    assert after is not None
    assert after.working is not None
    assert (after.state, len(after.working.approvals)) == (State.APPROVED, 1)


def test_an_exempt_field_changed_beside_another_does_not_keep_the_approval() -> None:
    content = replace(RENAMED, tags=("new",))
    assert VersionReopened() in decide(program(State.APPROVED), update("tags", "title", content=content), context())


def test_which_fields_are_exempt_is_configured() -> None:
    given = context(rules=Rules(exempt_fields=frozenset({"title"})))
    assert VersionReopened() not in decide(program(State.APPROVED), update("title"), given)


def test_a_scheduled_version_stays_scheduled_when_only_exempt_fields_change() -> None:
    content = replace(COMPLETE, tags=("new",))
    after = carry_out(program(State.SCHEDULED), update("tags", content=content), context())
    assert (in_work(after).state, in_work(after).release_time, in_work(after).content) == (
        State.SCHEDULED,
        LATER,
        content,
    )


def test_nothing_but_exempt_fields_of_a_scheduled_version_can_change() -> None:
    for fields in (("title",), ("title", "tags")):
        with pytest.raises(ProgramState) as refused:
            decide(program(State.SCHEDULED), update(*fields, content=replace(RENAMED, tags=("new",))), context())
        assert refused.value.metadata == {"state": "SCHEDULED", "command": "UpdateProgram"}
    assert decide(program(State.SCHEDULED), update(*CONTENT_FIELDS, content=COMPLETE), context()) == ()


def test_an_edit_clears_the_release_failure() -> None:
    failed = apply(program(State.SCHEDULED), (ReleaseFailed(()),), context())
    assert in_work(failed).release_failure is not None
    assert in_work(carry_out(failed, update("tags"), context())).release_failure is not None  # nothing changed
    retagged = update("tags", content=replace(COMPLETE, tags=()))
    assert in_work(carry_out(failed, retagged, context())).release_failure is None


def test_a_revision_begins_with_what_the_live_version_says_and_leaves_it_live() -> None:
    before = program(State.RELEASED)
    assert decide(before, ReviseProgram(PROGRAM_ID), context("carol")) == (VersionRevised(2),)
    after = carry_out(before, ReviseProgram(PROGRAM_ID), context("carol"))
    assert after is not None
    assert after.live is before.live
    assert (after.state, after.version_count) == (State.RELEASED, 2)
    assert (in_work(after).number, in_work(after).state, in_work(after).content) == (2, State.DRAFT, COMPLETE)
    assert (in_work(after).approvals, in_work(after).comment_count, in_work(after).submit_time) == ((), 0, None)


def test_a_rejected_version_is_revised_from_what_is_live_or_else_from_itself() -> None:
    rejected = revised(State.RELEASED, State.REJECTED)
    rejected = replace(rejected, working=replace(in_work(rejected), content=RENAMED))
    after = carry_out(rejected, ReviseProgram(PROGRAM_ID), context())
    assert (in_work(after).number, in_work(after).content) == (3, COMPLETE)
    after = carry_out(program(State.REJECTED, RENAMED), ReviseProgram(PROGRAM_ID), context())
    assert (in_work(after).number, in_work(after).state, in_work(after).content) == (2, State.DRAFT, RENAMED)
    assert in_work(after).rejection is None


def test_only_an_author_or_co_author_revises_and_deletes() -> None:
    for state, command in (
        (program(State.RELEASED), ReviseProgram(PROGRAM_ID)),
        (program(State.DRAFT), DeleteProgram(PROGRAM_ID)),
    ):
        with pytest.raises(NotAnAuthor) as refused:
            decide(state, command, context("mallory"))
        assert refused.value.metadata == {"principal": "mallory"}


@pytest.mark.parametrize("state", [State.DRAFT, State.REJECTED])
def test_a_program_that_was_never_released_is_deleted_without_a_trace_of_its_content(state: State) -> None:
    before = program(state)
    assert decide(before, DeleteProgram(PROGRAM_ID), context("carol")) == (ProgramDeleted(),)
    after = carry_out(before, DeleteProgram(PROGRAM_ID), context())
    assert after is not None
    assert (after.state, after.working, after.live) == (State.DELETED, None, None)
    assert (after.revision, after.author, after.co_authors) == (before.revision + 1, "alice", ("carol",))


def test_a_program_that_was_released_is_not_deleted() -> None:
    for state in (program(State.RELEASED), revised(State.RELEASED, State.DRAFT)):
        with pytest.raises(ProgramState) as refused:
            decide(state, DeleteProgram(PROGRAM_ID), context())
        assert refused.value.metadata == {"state": "RELEASED", "command": "DeleteProgram"}


def test_a_deleted_program_is_found_by_nobody_and_its_id_is_not_given_again() -> None:
    with pytest.raises(ResourceNotFound):
        decide(program(State.DELETED), SubmitProgram(PROGRAM_ID), context())
    with pytest.raises(ResourceExists):
        decide(program(State.DELETED), CreateProgram(PROGRAM_ID, COMPLETE), context())


def test_a_released_program_without_a_working_version_is_not_edited() -> None:
    with pytest.raises(ProgramState) as refused:
        decide(program(State.RELEASED), update("title"), context())
    assert refused.value.metadata == {"state": "RELEASED", "command": "UpdateProgram"}


def test_a_live_version_stays_live_while_its_successor_is_edited() -> None:
    after = carry_out(revised(State.RELEASED, State.DRAFT), update("title"), context())
    assert (live(after).state, live(after).content) == (State.RELEASED, COMPLETE)


def test_a_program_is_not_its_own_prerequisite() -> None:
    content = replace(COMPLETE, prerequisites=Prerequisites("", (PROGRAM_ID,)))
    for state, command in (
        (None, CreateProgram(PROGRAM_ID, content)),
        (program(State.DRAFT), update("prerequisites", content=content)),
    ):
        with pytest.raises(ProgramRefersToItself) as refused:
            decide(state, command, context())
        assert refused.value.metadata == {"program_id": str(PROGRAM_ID)}


def test_an_update_is_checked_together_with_what_it_leaves() -> None:
    with pytest.raises(InvalidField) as refused:
        decide(program(State.DRAFT), update("language_code", content=ProgramContent(language_code="DE")), context())
    assert [found.field for found in refused.value.violations] == ["content.localizations[0].language_code"]
