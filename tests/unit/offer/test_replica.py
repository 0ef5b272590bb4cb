"""What the replica of released programs makes of an event."""

from datetime import UTC, datetime
from uuid import UUID

import pytest
from training.program.v1.events_pb2 import ProgramEvent, PublishedProgram
from training.program.v1.program_pb2 import Program

from bus.event import Event
from bus.following.projection import Undecodable
from offer_svc.adapters.replica import ProgramReplica, ReleasedProgram
from offer_svc.domain.context import ProgramState
from tests.unit.offer.samples import PROGRAM

RELEASED, RETIRED = Program.STATE_RELEASED, Program.STATE_RETIRED


def event(
    state: Program.State.ValueType = RELEASED, *, revision: int = 4, program_id: UUID = PROGRAM, kind: str = "Released"
) -> Event:
    """Return revision 4 of the program, whose state says what is given."""
    body = ProgramEvent(program=PublishedProgram(program_id=str(program_id), revision=revision, state=state))
    return Event(
        epoch=UUID(int=1),
        lane=0,
        seq=1,
        event_id=UUID(int=2),
        previous=None,
        aggregate_id=PROGRAM,
        revision=4,
        type=f"training.program.v1.{kind}",
        time=datetime(2027, 1, 1, tzinfo=UTC),
        traceparent="",
        body=b"" if kind == "Advanced" else body.SerializeToString(),
    )


@pytest.mark.parametrize(("carried", "state"), [(RELEASED, ProgramState.RELEASED), (RETIRED, ProgramState.RETIRED)])
def test_the_state_that_an_event_carries_counts_whatever_its_type(
    carried: Program.State.ValueType, state: ProgramState
) -> None:
    assert ProgramReplica().row(event(carried, kind="SomethingNew")) == ReleasedProgram(PROGRAM, 4, UUID(int=2), state)


def test_an_event_without_public_state_changes_nothing() -> None:
    assert ProgramReplica().row(event(kind="Advanced")) is None


@pytest.mark.parametrize("wrong", [event(revision=5), event(program_id=UUID(int=9))])
def test_a_body_that_contradicts_its_headers_is_no_program(wrong: Event) -> None:
    with pytest.raises(Undecodable):
        ProgramReplica().row(wrong)


@pytest.mark.parametrize("number", [Program.STATE_DRAFT, 7, 2**31 - 1, -(2**31)])
def test_a_state_that_has_no_name_here_is_kept_as_its_number(number: Program.State.ValueType) -> None:
    assert ProgramReplica().row(event(number)) == ReleasedProgram(PROGRAM, 4, UUID(int=2), number)
