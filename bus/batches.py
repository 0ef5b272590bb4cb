"""Commands on hot aggregates: those that come while a commit is under way wait for the next one, which takes them all.

Each aggregate has one worker in this process, as long as there is work for it. A batch that fails is decided again in
halves, down to single commands, which take the ordinary way: what is wrong with one is told to its own caller only.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from typing import Final, Generic
from uuid import UUID

import structlog

from bus.batch import BatchAttempts
from bus.batch_decisions import Decisions, Waiting
from bus.handling import Command, CommandCall, Outcome, State
from bus.insisting import insist
from bus.tasks import told
from chassis.postgres import UNAVAILABLE, Connection, Connections, Unreachable

_MOST_COMMANDS: Final = 256

log: Final = structlog.get_logger(__name__)


class Batches(Generic[State, Command]):
    """Carries out the hot commands on one kind of aggregate; `alone` is the ordinary way of one command."""

    def __init__(
        self,
        connections: Connections,
        attempts: BatchAttempts[State, Command],
        alone: Callable[[CommandCall, UUID, Command], Awaitable[Outcome]],
    ) -> None:
        self._connections = connections
        self._attempts = attempts
        self._alone = alone
        self._queues: dict[UUID, deque[Waiting[Command]]] = {}
        self._workers: set[asyncio.Task[None]] = set()

    async def execute(self, call: CommandCall, aggregate_id: UUID, command: Command) -> Outcome:
        """Carry a command out with those that wait beside it.

        A caller who goes before it is decided takes it away; once it is decided, the commit goes on without the caller.
        """
        waiting = Waiting(call, command, asyncio.get_running_loop().create_future())
        queue = self._queues.get(aggregate_id)
        if queue is None:
            queue = self._queues[aggregate_id] = deque()
            # The worker is no part of the call that happens to come first, nor of its trace.
            worker = asyncio.create_task(self._work(aggregate_id, queue), context=Context())
            self._workers.add(worker)
            worker.add_done_callback(self._workers.discard)
        queue.append(waiting)
        return await waiting.outcome

    async def drain(self) -> None:
        """Wait until nothing waits."""
        while self._workers:
            await asyncio.wait(self._workers)

    async def _work(self, aggregate_id: UUID, queue: deque[Waiting[Command]]) -> None:
        try:
            while batch := _taken(queue):
                await self._carry_out(aggregate_id, batch)
        finally:
            del self._queues[aggregate_id]

    async def _carry_out(self, aggregate_id: UUID, batch: Sequence[Waiting[Command]]) -> None:
        """Bring every command of a batch to its outcome; nothing is raised."""
        if len(batch) == 1:
            await self._carry_out_alone(aggregate_id, batch[0])
            return

        async def attempt(connection: Connection, locked: bool) -> Decisions[State, Command] | None:  # noqa: FBT001 - as `Attempt` is
            return await self._attempts.attempt(connection, aggregate_id, batch, locked=locked)

        try:
            decisions = await insist(self._connections, attempt)
        except UNAVAILABLE as error:
            for waiting in batch:
                _answer(waiting, Unreachable(told(error)))
            return
        except Exception as error:  # noqa: BLE001 - whichever command it is about, its half will fail again
            log.info("batch_halved", aggregate_id=str(aggregate_id), commands=len(batch), reason=told(error))
            decisions = None
        if decisions is None:
            half = len(batch) // 2
            await self._carry_out(aggregate_id, batch[:half])
            await self._carry_out(aggregate_id, batch[half:])
            return
        for waiting, outcome in decisions.told:
            _answer(waiting, outcome)
        for waiting in decisions.alone:
            await self._carry_out_alone(aggregate_id, waiting)
        if decisions.later:
            await self._carry_out(aggregate_id, decisions.later)

    async def _carry_out_alone(self, aggregate_id: UUID, waiting: Waiting[Command]) -> None:
        try:
            outcome: Outcome | Exception = await self._alone(waiting.call, aggregate_id, waiting.command)
        except Exception as error:  # noqa: BLE001 - it is raised where the caller waits
            outcome = error
        _answer(waiting, outcome)


def _taken(queue: deque[Waiting[Command]]) -> list[Waiting[Command]]:
    """Take the next batch, without those whose callers have gone."""
    batch: list[Waiting[Command]] = []
    while queue and len(batch) < _MOST_COMMANDS:
        waiting = queue.popleft()
        if not waiting.outcome.done():
            batch.append(waiting)
    return batch


def _answer(waiting: Waiting[Command], outcome: Outcome | Exception) -> None:
    """Tell a caller, who may have gone."""
    future = waiting.outcome
    if future.done():
        return
    if isinstance(outcome, Outcome):
        future.set_result(outcome)
    else:
        future.set_exception(outcome)
        future.exception()  # a caller who goes at this moment leaves nothing unnoticed
