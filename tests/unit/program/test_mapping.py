from dataclasses import replace

from hypothesis import given
from training.program.v1 import program_pb2 as pb
from training.program.v1 import program_service_pb2 as service
from training.program.v1 import review_pb2
from training.type.v1 import vocabulary_pb2

from program_svc.adapters import mapping
from program_svc.domain.commands import CreateProgram
from program_svc.domain.comment import Comment
from program_svc.domain.content import CONTENT_FIELDS, Level, Prerequisites, ProgramContent
from program_svc.domain.program import Program, State, Version
from program_svc.domain.reviewer import Reviewer, ReviewerState
from tests.unit.program.samples import NOW, PROGRAM_ID, contents, program
from tests.unit.program.strategies import comments, reviewers, versions, whole_programs
from tests.unit.program.telling import tells


@given(whole_programs)
def test_a_program_comes_back_from_its_bytes_as_it_was(state: Program) -> None:
    message = pb.Program.FromString(mapping.to_message(state).SerializeToString())
    assert mapping.from_message(message) == state


@given(whole_programs)
def test_the_message_of_a_program_tells_everything_of_it(state: Program) -> None:
    message = mapping.to_message(state)
    assert tells(message, state, untold=("definition_revision", "definition_time"), beside=("etag", "state"))
    assert int(message.state) == int(state.state)


@given(versions)
def test_a_version_comes_back_from_the_archive_as_it_was(version: Version) -> None:
    message = pb.ProgramVersion.FromString(mapping.version_message(version).SerializeToString())
    assert mapping.read_version(message) == version
    assert tells(message, version)


@given(comments)
def test_a_comment_comes_back_from_its_bytes_as_it_was(comment: Comment) -> None:
    message = review_pb2.ReviewComment.FromString(mapping.comment_message(comment).SerializeToString())
    assert mapping.read_comment(message) == comment
    assert tells(message, comment)


@given(reviewers)
def test_a_reviewer_comes_back_from_their_bytes_as_they_were(reviewer: Reviewer) -> None:
    message = review_pb2.Reviewer.FromString(mapping.to_reviewer_message(reviewer).SerializeToString())
    assert mapping.from_reviewer_message(message) == reviewer
    unsaid = ("definition_revision", "definition_time")
    assert tells(message, reviewer, untold=unsaid, beside=("etag", "open_reviews"))
    assert (message.etag, message.open_reviews) == (mapping.etag(reviewer), 0)


@given(contents)
def test_content_comes_back_from_a_request_as_it_was(content: ProgramContent) -> None:
    request = service.CreateProgramRequest(content=mapping.write_content(content), co_authors=["carol"])
    wired = service.CreateProgramRequest.FromString(request.SerializeToString())
    assert mapping.create_program(wired, PROGRAM_ID) == CreateProgram(PROGRAM_ID, content, ("carol",))
    assert tells(wired.content, content)


def test_the_domain_and_the_message_name_the_same_fields_in_the_same_order() -> None:
    assert tuple(field.name for field in pb.ProgramContent.DESCRIPTOR.fields) == CONTENT_FIELDS


def test_the_domain_and_the_message_number_states_and_levels_alike() -> None:
    assert {f"STATE_{state.name}": int(state) for state in State} == dict(pb.Program.State.items())
    assert {f"STATE_{state.name}": int(state) for state in ReviewerState} == dict(review_pb2.Reviewer.State.items())
    assert {f"LEVEL_{level.name}": int(level) for level in Level} == dict(vocabulary_pb2.Level.items())


def test_absent_and_empty_messages_are_told_apart() -> None:
    message = mapping.write_content(ProgramContent(prerequisites=Prerequisites()))
    assert message.HasField("prerequisites")
    assert not message.HasField("total_duration")
    assert not message.HasField("credits")
    state = program(State.IN_REVIEW)
    assert state.working is not None
    bare = mapping.to_message(replace(state, working=replace(state.working, waiting_since=None)))
    told = {field.name for field, _ in bare.working.ListFields()}
    assert told.isdisjoint({"release_time", "release_failure", "waiting_since", "rejection", "change_request"})
    told = {field.name for field, _ in bare.ListFields()}
    assert told.isdisjoint({"live", "retirement", "pending_retirement", "public_time"})


def test_a_deleted_program_keeps_its_id_and_authors_and_nothing_else() -> None:
    message = mapping.to_message(program(State.DELETED))
    assert (message.state, message.program_id) == (pb.Program.STATE_DELETED, str(PROGRAM_ID))
    assert (message.author, list(message.co_authors)) == ("alice", ["carol"])
    assert not message.HasField("working")
    assert not message.HasField("live")
    assert mapping.from_message(message) == program(State.DELETED)


def test_the_etag_is_the_revision_and_the_time_of_the_definition() -> None:
    state = replace(program(State.DRAFT), definition_revision=31, revision=40)
    assert mapping.etag(state) == f"1f-{int(NOW.timestamp() * 1_000_000):x}"
    assert mapping.to_message(state).etag == mapping.etag(state)
