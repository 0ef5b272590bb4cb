import grpc
import pytest
from google.protobuf.any_pb2 import Any
from google.rpc.status_pb2 import Status

from chassis.errors import Draining, RoleMissing, TooManyCalls, to_status
from trainingctl.failures import Meaning, Patience, meaning_of, passes


def bare(code: grpc.StatusCode) -> Status:
    return Status(code=code.value[0], message="told")


@pytest.mark.parametrize(
    ("status", "meaning"),
    [
        (bare(grpc.StatusCode.OK), Meaning.CONNECT_AGAIN),
        (bare(grpc.StatusCode.UNAVAILABLE), Meaning.CONNECT_AGAIN),
        (bare(grpc.StatusCode.CANCELLED), Meaning.CONNECT_AGAIN),
        (to_status(Draining()), Meaning.CONNECT_AGAIN),
        (to_status(TooManyCalls.of("streams", 1)), Meaning.CONNECT_AGAIN),
        (bare(grpc.StatusCode.RESOURCE_EXHAUSTED), Meaning.SUSPECT_ROWS),
        (bare(grpc.StatusCode.INTERNAL), Meaning.SUSPECT_ROWS),
        (bare(grpc.StatusCode.UNKNOWN), Meaning.SUSPECT_ROWS),
        (Status(code=99), Meaning.SUSPECT_ROWS),
        (Status(code=grpc.StatusCode.INTERNAL.value[0], message="Internal error from Core"), Meaning.UNCERTAIN),
        (to_status(RoleMissing.calling("Import", ["publisher"])), Meaning.GIVE_UP),
        (bare(grpc.StatusCode.UNIMPLEMENTED), Meaning.GIVE_UP),
    ],
)
def test_the_end_of_a_stream_means(status: Status, meaning: Meaning) -> None:
    assert meaning_of(status) is meaning


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (grpc.StatusCode.UNAVAILABLE, True),
        (grpc.StatusCode.ABORTED, True),
        (grpc.StatusCode.FAILED_PRECONDITION, False),
        (grpc.StatusCode.INVALID_ARGUMENT, False),
    ],
)
def test_only_what_may_change_by_itself_is_tried_again(code: grpc.StatusCode, *, expected: bool) -> None:
    assert passes(Status(code=code.value[0], details=[Any()])) is expected


def test_pauses_grow_to_a_limit_and_begin_anew_with_progress() -> None:
    patience = Patience(60)
    pauses = [patience.next_pause() for _ in range(12)]
    assert all(0.5 * full <= pause <= full for pause, full in zip(pauses, [0.1, 0.2, 0.4, 0.8, 1.6], strict=False))
    assert max(pauses) <= Patience.LONGEST_PAUSE
    patience.renew()
    assert patience.next_pause() <= Patience.FIRST_PAUSE


def test_no_patience_is_exhausted_at_once() -> None:
    assert Patience(0).exhausted
    assert not Patience(60).exhausted
