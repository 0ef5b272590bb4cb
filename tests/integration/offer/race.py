"""A race for the seats of one offer: buyers, a manager, and those who lose patience, all at once."""

import asyncio
import random
from collections import Counter
from typing import Final

import grpc
from training.offer.v1 import reservation_pb2 as pb

from tests.integration.offer.ledger import rows_of
from tests.integration.offer.line import Line
from tests.integration.offer.selling import (
    confirm,
    extend,
    leave,
    outcome,
    release,
    reserve,
    set_capacity,
    someone,
    wait_for,
)

_ROUNDS: Final = 4
_BETWEEN_ROUNDS: Final = 0.2
_PATIENT: Final = 30
_TRIES: Final = 5


class Race:
    """What the racers do; `seen` counts how their calls ended."""

    def __init__(self, line: Line, offer_id: str) -> None:
        self._line = line
        self._offer_id = offer_id
        self._chance = random.Random(34)  # noqa: S311 - the same race every time, as far as a race can be
        self.seen: Counter[str] = Counter()

    async def run(self, buyers: int) -> None:
        """Let everybody run at once; in the end, most of those who still wait give up."""
        await asyncio.gather(self._manage(), self._look_around(), *(self._buy(number) for number in range(buyers)))
        await asyncio.gather(*(self._give_up(each) for each in (await self._in_state("WAITING"))[_PATIENT:]))

    async def _buy(self, number: int) -> None:
        """Try to get seats, one way or another, and do something with them."""
        participant, seats = someone(), self._chance.choice((1, 1, 1, 2))
        for _ in range(_TRIES):
            try:
                reservation = await reserve(self._line, self._offer_id, participant, seats)
            except grpc.aio.AioRpcError:
                waits = await outcome(wait_for(self._line, self._offer_id, participant, seats))
                self.seen[f"wait: {waits}"] += 1
                if waits == "done":
                    return
            else:
                await self._use(reservation, number)
                return

    async def _use(self, reservation: pb.Reservation, number: int) -> None:
        """Confirm, extend and give back; one in six is left to run out."""
        line = self._line
        match number % 6:
            case 0 | 1:
                self.seen[f"confirm: {await outcome(confirm(line, reservation))}"] += 1
            case 2:
                self.seen[f"release: {await outcome(release(line, reservation))}"] += 1
            case 3:
                await outcome(extend(line, reservation))
                self.seen[f"confirm: {await outcome(confirm(line, reservation))}"] += 1
            case 4:
                await outcome(confirm(line, reservation))
                self.seen[f"release: {await outcome(release(line, reservation))}"] += 1
            case _:
                self.seen["left to run out"] += 1

    async def _manage(self) -> None:
        for maximum in (50, 30, 45, 40):
            self.seen[f"capacity: {await outcome(set_capacity(self._line, self._offer_id, maximum))}"] += 1
            await asyncio.sleep(_BETWEEN_ROUNDS)  # spread over the race

    async def _look_around(self) -> None:
        """Take some off the waitlist, and confirm some who were given a seat, while the others race on."""
        for _ in range(_ROUNDS):
            for each in self._some(await self._in_state("WAITING")):
                await self._give_up(each)
            for each in self._some(await self._in_state("HELD")):
                await outcome(confirm(self._line, each))
            await asyncio.sleep(_BETWEEN_ROUNDS)  # spread over the race

    async def _give_up(self, entry: pb.Reservation) -> None:
        self.seen[f"leave: {await outcome(leave(self._line, entry))}"] += 1

    async def _in_state(self, state: str) -> list[pb.Reservation]:
        rows = await rows_of(self._line.dsn, self._offer_id)
        ids = (reservation_id for reservation_id, row in rows.items() if row.state == state)
        return [pb.Reservation(offer_id=self._offer_id, reservation_id=each) for each in ids]

    def _some(self, reservations: list[pb.Reservation]) -> list[pb.Reservation]:
        return [each for each in reservations if self._chance.random() < 0.1]
