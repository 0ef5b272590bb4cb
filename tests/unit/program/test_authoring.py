from dataclasses import replace

import pytest

from chassis.refusal import InvalidField, ResourceExists, ResourceNotFound
from program_svc.domain.changes import ContentChanged, ProgramCreated, VersionReopened
from program_svc.domain.commands import CreateProgram, SubmitProgram, UpdateProgram
from program_svc.domain.content import CONTENT_FIELDS, Prerequisites, ProgramContent
from program_svc.domain.context import Rules
from program_svc.domain.decide import decide
from program_svc.domain.errors import LockedInReview, NotAnAuthor, ProgramRefersToItself, ProgramState
from program_svc.domain.program import State
from tests.unit.program.samples import COMPLETE, PROGRAM_ID, carry_out, context, program, revised

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


def test_a_released_program_without_a_working_version_is_not_edited() -> None:
    with pytest.raises(ProgramState) as refused:
        decide(program(State.RELEASED), update("title"), context())
    assert refused.value.metadata == {"state": "RELEASED", "command": "UpdateProgram"}


def test_a_live_version_stays_live_while_its_successor_is_edited() -> None:
    after = carry_out(revised(State.RELEASED, State.DRAFT), update("title"), context())
    assert after is not None
    assert after.live is not None
    assert (after.state, after.live.content) == (State.RELEASED, COMPLETE)


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
