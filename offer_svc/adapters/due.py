"""What the timekeeper finds due in offers: all of it is read from the rows, none of it is kept beside them."""

import asyncio
from collections.abc import Awaitable, Iterable, Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import BigInteger, Uuid, bindparam, func, select

from bus.commands.path import CommandCall, Outcome
from bus.following.checkpoint import GONE
from chassis.postgres import Connection, Connections
from chassis.sql import Statement
from offer_svc.adapters.numbers import number
from offer_svc.adapters.tables import KNOWN_PROGRAM, OFFER, RESERVATION
from offer_svc.application.commands import Offers
from offer_svc.application.views import OfferViews
from offer_svc.domain.commands import CancelForRetirement, ExpireReservation
from offer_svc.domain.context import ProgramState
from offer_svc.domain.deadlines import due_commands
from offer_svc.domain.offer import State
from offer_svc.domain.reservation import ReservationState

_MOST: Final = bindparam("most", type_=BigInteger())
_EXPIRED: Final = (
    RESERVATION.c.status == number(ReservationState.HELD),
    RESERVATION.c.expires_at <= func.statement_timestamp(),
)
_DUE: Final = Statement(
    select(OFFER.c.offer_id).where(OFFER.c.due_at <= func.statement_timestamp()).order_by(OFFER.c.due_at).limit(_MOST)
)
_FIRST_EXPIRED: Final = (
    select(RESERVATION.c.offer_id, RESERVATION.c.expires_at)
    .where(*_EXPIRED)
    .order_by(RESERVATION.c.expires_at)
    .limit(bindparam("most_holds", type_=BigInteger()))
    .subquery("first_expired")
)
_WITH_EXPIRED: Final = Statement(
    select(_FIRST_EXPIRED.c.offer_id)
    .group_by(_FIRST_EXPIRED.c.offer_id)
    .order_by(func.min(_FIRST_EXPIRED.c.expires_at))
    .limit(_MOST)
)
_EXPIRED_OF: Final = Statement(
    select(RESERVATION.c.reservation_id)
    .where(RESERVATION.c.offer_id == bindparam("offer_id", type_=Uuid()), *_EXPIRED)
    .order_by(RESERVATION.c.expires_at)
    .limit(_MOST)
)
_OF_RETIRED: Final = Statement(
    select(OFFER.c.offer_id)
    .join_from(OFFER, KNOWN_PROGRAM, OFFER.c.program_id == KNOWN_PROGRAM.c.program_id)
    .where(
        OFFER.c.status == number(State.PUBLISHED),
        KNOWN_PROGRAM.c.state == number(ProgramState.RETIRED),
        KNOWN_PROGRAM.c.cancel_offers,
    )
    .order_by(OFFER.c.program_id, OFFER.c.offer_id)
    .limit(_MOST)
)
_AT_A_TIME: Final = 200
"""How many holds of one offer are ended at once; the rest is still due afterwards."""
_HOLDS_LOOKED_AT: Final = 20
"""How many expired holds are looked at per offer asked for: however many there are, a question is short."""


async def _one_by_one(doings: Iterable[Awaitable[Outcome]]) -> bool:
    """Do one after the other, each though one before it failed; tell whether anything changed."""
    done: list[Outcome | BaseException] = []
    for doing in doings:
        try:
            done.append(await doing)
        except Exception as error:  # noqa: BLE001 - told once all have had their turn
            done.append(error)
    return _told(done)


def _told(done: Sequence[Outcome | BaseException]) -> bool:
    """Tell whether anything changed, or raise the first failure."""
    for each in done:
        if isinstance(each, BaseException):
            raise each
    return any(outcome.changed for outcome in done if isinstance(outcome, Outcome))


class DueOffers:
    """Offers whose decision deadline or end has come, or that have seats to give to those who wait."""

    name: Final = "offers-due"
    at_once: Final = 4

    def __init__(self, offers: Offers, views: OfferViews) -> None:
        self._offers = offers
        self._views = views

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the offers with something due, the longest due first."""
        return [row["offer_id"] for row in await _DUE.fetch(connection, {"most": most})]

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Do what is due of one offer; tell whether there was anything."""
        offer, now = await self._views.at_present(aggregate_id)
        commands = () if offer is None else due_commands(offer, now)
        return await _one_by_one(self._offers.execute(command, call) for command in commands)


class ExpiredHolds:
    """Holds that were not confirmed in time; those of one offer are ended together, in one commit."""

    name: Final = "expired-holds"
    at_once: Final = 4

    def __init__(self, offers: Offers, connections: Connections) -> None:
        self._offers = offers
        self._connections = connections

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the offers with holds that have expired, the longest expired first."""
        values = {"most": most, "most_holds": most * _HOLDS_LOOKED_AT}
        return [row["offer_id"] for row in await _WITH_EXPIRED.fetch(connection, values)]

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """End the holds of one offer; tell whether there were any."""
        rows = await _EXPIRED_OF.fetch(self._connections, {"offer_id": aggregate_id, "most": _AT_A_TIME})
        commands = (ExpireReservation(aggregate_id, row["reservation_id"]) for row in rows)
        ended = await asyncio.gather(
            *(self._offers.execute(command, call) for command in commands), return_exceptions=True
        )
        return _told(ended)


class RetiredPrograms:
    """Published offers of programs that were retired together with their offers."""

    name: Final = "retired-programs"
    at_once: Final = 4

    def __init__(self, offers: Offers) -> None:
        self._offers = offers

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the offers that are to be called off; none while it is not known which programs were retired."""
        try:
            return [row["offer_id"] for row in await _OF_RETIRED.fetch(connection, {"most": most})]
        except GONE:
            return []

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Call one offer off; tell whether that was to be done."""
        return (await self._offers.execute(CancelForRetirement(aggregate_id), call)).changed
