"""Commands on hot aggregates: those that come while a commit is under way wait for the next one, which takes them all.

Each aggregate has one worker in this process, as long as there is work for it. A batch that fails is decided again in
halves, down to single commands, which take the ordinary way: what is wrong with one is told to its own caller only.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextvars import Context
from datetime import datetime
from typing import Final, Generic
from uuid import UUID

import structlog

from bus.commands.batch import BatchAttempts
from bus.commands.batch_decisions import Decisions, Waiting
from bus.commands.handling import Command, CommandCall, Outcome, Revision, State
from bus.commands.insisting import insist
from bus.tasks import told
from chassis.postgres import UNAVAILABLE, Connection, Connections, Unreachable

_MOST_COMMANDS: Final = 256
_DOOR_SECONDS: Final = 0.004

log: Final = structlog.get_logger(__name__)


class Batches(Generic[State, Command]):
    """Carries out the hot commands on one kind of aggregate; `alone` is the ordinary way of one command.

    After each commit of a batch `committed` is called, with its last revision.
    """

    def __init__(
        self,
        connections: Connections,
        attempts: BatchAttempts[State, Command],
        alone: Callable[[CommandCall, UUID, Command], Awaitable[Outcome]],
        committed: Callable[[Revision, datetime], None],
    ) -> None:
        self._connections = connections
        self._attempts = attempts
        self._alone = alone
        self._committed = committed
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
            while batch := await _gathered(queue):
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
        else:
            await self._tell(aggregate_id, decisions)

    async def _tell(self, aggregate_id: UUID, decisions: Decisions[State, Command]) -> None:
        """Tell everybody concerned what a batch came to, and carry out what it could not."""
        if decisions.events:
            self._committed(decisions.events[-1].revision, decisions.now)
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


async def _gathered(queue: deque[Waiting[Command]]) -> list[Waiting[Command]]:
    """Take the next batch, once nobody else is at the door.

    Calls are let in only while the loop has nothing else to do: without a moment for them, each commit would find the
    few that came in beside the last one, and most of the time would go into small commits. One who is alone need not
    wait.
    """
    seen = 1
    while seen < len(queue) < _MOST_COMMANDS:
        seen = len(queue)
        await asyncio.sleep(_DOOR_SECONDS)
    return _taken(queue)


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
