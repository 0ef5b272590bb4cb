"""What those who sell ask for, and what they are told."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from uuid import uuid4

import grpc
from training.offer.v1 import offer_service_pb2 as service
from training.offer.v1 import reservation_pb2 as pb

from tests.integration.offer.line import Line
from tests.integration.refusals import refused

WAITING, HELD, CONFIRMED = pb.Reservation.STATE_WAITING, pb.Reservation.STATE_HELD, pb.Reservation.STATE_CONFIRMED
RELEASED, EXPIRED, CANCELLED = (
    pb.Reservation.STATE_RELEASED,
    pb.Reservation.STATE_EXPIRED,
    pb.Reservation.STATE_CANCELLED,
)


def someone() -> str:
    """Name a participant nobody else has named."""
    return f"participant-{uuid4()}"


async def reserve(line: Line, offer_id: str, participant: str = "", seats: int = 1, **more: str) -> pb.Reservation:
    """Reserve seats."""
    given = {"currency_code": "EUR", "participant_id": participant or someone(), **more}
    request = service.ReserveSeatsRequest(offer_id=offer_id, seats=seats)
    for name, value in given.items():
        setattr(request, name, value)
    return (await line.offers.ReserveSeats(request)).reservation


async def confirm(line: Line, reservation: pb.Reservation) -> pb.Reservation:
    """Confirm a hold."""
    request = service.ConfirmReservationRequest(
        offer_id=reservation.offer_id, reservation_id=reservation.reservation_id
    )
    return (await line.offers.ConfirmReservation(request)).reservation


async def extend(line: Line, reservation: pb.Reservation) -> pb.Reservation:
    """Extend a hold."""
    request = service.ExtendReservationRequest(offer_id=reservation.offer_id, reservation_id=reservation.reservation_id)
    return (await line.offers.ExtendReservation(request)).reservation


async def release(line: Line, reservation: pb.Reservation) -> pb.Reservation:
    """Give seats back."""
    request = service.ReleaseReservationRequest(
        offer_id=reservation.offer_id, reservation_id=reservation.reservation_id
    )
    return (await line.offers.ReleaseReservation(request)).reservation


async def wait_for(line: Line, offer_id: str, participant: str = "", seats: int = 1) -> pb.Reservation:
    """Join the waitlist."""
    request = service.JoinWaitlistRequest(
        offer_id=offer_id, participant_id=participant or someone(), seats=seats, currency_code="EUR"
    )
    return (await line.offers.JoinWaitlist(request)).reservation


async def leave(line: Line, reservation: pb.Reservation) -> pb.Reservation:
    """Leave the waitlist."""
    request = service.LeaveWaitlistRequest(offer_id=reservation.offer_id, reservation_id=reservation.reservation_id)
    return (await line.offers.LeaveWaitlist(request)).reservation


async def read(line: Line, reservation: pb.Reservation) -> pb.Reservation:
    """Read a reservation."""
    request = service.GetReservationRequest(reservation_id=reservation.reservation_id)
    return (await line.offers.GetReservation(request)).reservation


async def set_capacity(line: Line, offer_id: str, maximum: int, minimum: int = 0, etag: str = "") -> None:
    """Set the number of seats."""
    request = service.SetCapacityRequest(offer_id=offer_id, maximum=maximum, minimum=minimum, etag=etag)
    await line.offers.SetCapacity(request)


async def outcome(call: Awaitable[Any]) -> str:
    """Return how a call ended: `done`, or the reason of its refusal."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        failed = error
    else:
        return "done"

    async def fail() -> None:
        raise failed

    return (await refused(fail())).reason


async def until(holds: Callable[[], Awaitable[bool]], patience: float = 20.0) -> None:
    """Ask again and again until something holds."""
    async with asyncio.timeout(patience):
        while not await holds():  # noqa: ASYNC110 - the state of a server can only be asked for
            await asyncio.sleep(0.05)
