"""Every state against every command: allowed, or refused with one reason."""

import pytest

from chassis.refusal import Refusal
from offer_svc.domain.commands import Command
from offer_svc.domain.decide import decide
from offer_svc.domain.offer import State
from tests.unit.offer.samples import (
    CANCEL,
    CONTEXT,
    CREATE,
    IMPORT,
    OFFER,
    PRICE,
    PUBLISH,
    SCHEDULE,
    in_state,
)

# What a command does to a complete offer, "" where it is allowed. IMPORT brings the same offer.
TABLE: dict[State | None, tuple[str, ...]] = {
    #                Create             Schedule              Price                 Publish
    #                Cancel             Import
    None: ("", "RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND", "RESOURCE_NOT_FOUND", ""),
    State.DRAFT: ("RESOURCE_EXISTS", "", "", "", "OFFER_STATE", "RESOURCE_EXISTS"),
    State.PUBLISHED: ("RESOURCE_EXISTS", "OFFER_STATE", "", "OFFER_STATE", "", ""),
    State.COMPLETED: ("RESOURCE_EXISTS", "OFFER_STATE", "OFFER_STATE", "OFFER_STATE", "OFFER_STATE", ""),
    State.CANCELLED: ("RESOURCE_EXISTS", "OFFER_STATE", "OFFER_STATE", "OFFER_STATE", "OFFER_STATE", ""),
}
COMMANDS: tuple[Command, ...] = (CREATE, SCHEDULE, PRICE, PUBLISH, CANCEL, IMPORT)
PAIRS = [
    pytest.param(state, command, reason, id=f"{state.name if state else 'NONE'}-{type(command).__name__}")
    for state, reasons in TABLE.items()
    for command, reason in zip(COMMANDS, reasons, strict=True)
]


def refusal_of(state: State | None, command: Command) -> Refusal | None:
    """Return the refusal of a command, if it is refused."""
    try:
        decide(None if state is None else in_state(state), command, CONTEXT)
    except Refusal as refusal:
        return refusal
    return None


@pytest.mark.parametrize(("state", "command", "reason"), PAIRS)
def test_a_state_allows_a_command_or_refuses_it_with_its_reason(
    state: State | None, command: Command, reason: str
) -> None:
    refusal = refusal_of(state, command)
    assert (refusal.reason if refusal else "") == reason


@pytest.mark.parametrize("state", State)
def test_a_refusal_by_state_names_the_state_and_the_command(state: State) -> None:
    command = PUBLISH if state is not State.DRAFT else CANCEL
    refusal = refusal_of(state, command)
    assert refusal is not None
    assert refusal.metadata == {"state": state.name, "command": type(command).__name__}


def test_a_refusal_of_an_unknown_offer_names_it() -> None:
    refusal = refusal_of(None, PUBLISH)
    assert refusal is not None
    assert refusal.metadata == {"resource_type": "training.offer.v1.Offer", "resource_name": str(OFFER)}


def test_the_table_is_whole() -> None:
    assert set(TABLE) == {None, *State}
    assert len(PAIRS) == len(TABLE) * len(COMMANDS)
