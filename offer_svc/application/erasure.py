"""Forgetting a participant: the name goes, seats and counts stay.

Each offer with reservations of the participant gets a revision of its own, and the stored responses are rewritten at
the end. Nothing remembers how far it came: whatever still has the name is what is left to do, so that a call that
broke off is simply made again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol
from uuid import UUID

from bus.commands.path import CommandCall, Outcome
from bus.tokens import decode, encode, merge
from offer_svc.application.commands import Offers
from offer_svc.domain.commands import EraseReservations


class Names(Protocol):
    """Where the names of participants stand."""

    async def offers_of(self, participant: str) -> Sequence[UUID]:
        """Return some of the offers with reservations in the name; none when there are none."""
        ...

    async def count(self, participant: str) -> tuple[int, int]:
        """Return how many reservations are in the name, and of how many offers."""
        ...

    async def forget(self, participant: str) -> None:
        """Take the name out of the stored responses."""
        ...


class Erasures(Protocol):
    """Reads what one offer's erasure came to."""

    def __call__(self, response: bytes) -> int:
        """Return from how many reservations the name was erased."""
        ...


@dataclass(frozen=True, slots=True)
class Erased:
    """What an erasure came to; the token stands for all its revisions, and is empty when there were none."""

    reservations: int
    offers: int
    token: str = ""


class Erasure:
    """Erases participants."""

    def __init__(self, offers: Offers, names: Names, erased_in: Erasures) -> None:
        self._offers = offers
        self._names = names
        self._erased_in = erased_in

    async def erase(self, participant: str, call: CommandCall) -> Erased:
        """Erase a name everywhere, or tell what would be erased."""
        if call.validate_only:
            return Erased(*await self._names.count(participant))
        each = replace(call, request_id=None)  # a repeat looks for what is left, it has no outcome to be told again
        outcomes: list[Outcome] = []
        while offers := await self._names.offers_of(participant):
            found = [await self._offers.execute(EraseReservations(offer_id, participant), each) for offer_id in offers]
            outcomes += (outcome for outcome in found if outcome.changed)
        await self._names.forget(participant)
        tokens = merge(decode(outcome.token) for outcome in outcomes)
        erased = sum(self._erased_in(outcome.response) for outcome in outcomes)
        return Erased(erased, len(outcomes), encode(tokens) if tokens else "")
