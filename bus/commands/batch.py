"""One attempt of a batch: everything loaded at once, the commands decided one on the other, one commit."""

from collections.abc import Mapping, Sequence
from typing import Generic
from uuid import UUID

from bus.commands.batch_decisions import Decisions, Waiting, key_of
from bus.commands.batch_statement import BatchStatement, values_of
from bus.commands.commit import AggregateTable
from bus.commands.deciding import Deciding
from bus.commands.handling import Command, Handler, Outcome, State
from bus.commands.loading import Loaded, Loading
from bus.lanes import lane_of
from chassis.postgres import Connection


class BatchAttempts(Generic[State, Command]):
    """Tries batches of commands on one kind of aggregate."""

    def __init__(
        self,
        aggregate: AggregateTable,
        handler: Handler[State, Command],
        deciding: Deciding[State, Command],
        loading: Loading,
    ) -> None:
        self._aggregate = aggregate
        self._statements = BatchStatement(aggregate)
        self._handler = handler
        self._deciding = deciding
        self._loading = loading

    async def attempt(
        self, connection: Connection, aggregate_id: UUID, batch: Sequence[Waiting[Command]], *, locked: bool
    ) -> Decisions[State, Command] | None:
        """Try once; None when others were faster. Everything that the commands came to is in `told` and the rest.

        Raises what the database raises, and what the handler raises when it loads.
        """
        keys = [key for waiting in batch if (key := key_of(waiting.call)) is not None]
        loaded, stored = await self._loading.load_for(connection, aggregate_id, keys, locked=locked)
        commands = [waiting.command for waiting in batch]
        state = await self._handler.load(connection, aggregate_id, loaded.state, commands)
        decisions = Decisions(self._deciding, loaded, stored, state)
        await decisions.make(batch, connection)
        if decisions.events and not await self._commit(connection, aggregate_id, loaded, decisions):
            return None
        return decisions

    async def _commit(
        self, connection: Connection, aggregate_id: UUID, loaded: Loaded, decisions: Decisions[State, Command]
    ) -> bool:
        """Write everything, if nobody was faster, and tell each caller's outcome with a token of its own."""
        events, lane = decisions.events, lane_of(aggregate_id)
        effects = self._effects(decisions)
        values = {
            **events[-1].revision.columns,
            **(effects or {}),
            **values_of(events, decisions.responses, publishes=self._aggregate.publishes),
            "aggregate_id": aggregate_id,
            "expected": loaded.revision,
            "revision": events[-1].number,
            "lane": lane,
        }
        row = await self._statements.of(effects=effects is not None).fetchrow(connection, values)
        if row is None:
            return False
        before = row["seq"] - len(events)
        for waiting, made in decisions.settled:
            token = self._deciding.token(row["epoch"], lane, before + made.position)
            decisions.told.append((waiting, Outcome(made.response, token, made.changed)))
        return True

    def _effects(self, decisions: Decisions[State, Command]) -> Mapping[str, object] | None:
        """Return the net effects of all revisions; None if there are none."""
        effects = [event.revision.effects for event in decisions.events if event.revision.effects is not None]
        if len(effects) > 1:
            return self._handler.merge(effects)
        return effects[0] if effects else None
