"""Building one generation: filled from the sources' snapshots or from every event, compared with them, then shown.

By snapshot: the durable consumers first, so that nothing published from then on can be missed; then the snapshot, chunk
by chunk, whose first heads are where the stream is taken up; then what the stream has, until every lane is at the heads
of the last chunk, before which the copy may show states older than others it shows. By replay: the durable consumers,
then every journal up to its heads, then what the stream has since. It takes the place of the current generation once
the sources' digests are its own and it has come as far.

A builder that dies leaves all of it to the next, which begins anew.
"""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import Final

import structlog
from nats.js.errors import NotFoundError
from training.ops.v1.operations_service_pb2 import RebuildMethod, RebuildPhase

from bus.audit.audit import Audit, AuditInterrupted, Kind
from bus.broker import BROKER_ERRORS, BrokerAway
from bus.following import checkpoint as checkpoints
from bus.following.advancing import Advancing, Passed, RebuildNeeded
from bus.following.applying import Applying, NoRoom
from bus.following.checkpoint import Checkpoint
from bus.following.source_answers import SourceHeads
from bus.following.source_journal import EpochMoved, JournalShort, JournalTrimmed
from bus.freshness.consistency import SourceUnavailable
from bus.lease import Lease
from bus.read_store.flip import NotFlipped, flip, read_checkpoints
from bus.read_store.generation_schema import create
from bus.read_store.generations import Generation, NobodyBuilds
from bus.read_store.progress import Progress
from bus.read_store.reached import applied, at, reached
from bus.read_store.replaying import replay
from bus.read_store.site import Site
from bus.source import Source
from bus.tasks import together, told
from bus.topology import StreamState, ensure_durable, stream_state
from chassis.postgres import Connections

_RETRY_SECONDS: Final = 0.1
_LOOK_SECONDS: Final = 0.05
_AGAIN_SECONDS: Final = 0.5

log: Final = structlog.get_logger(__name__)


class GivenUp(Exception):
    """A generation can't be completed; trying again as it is would not help."""


class _Again(Exception):
    """What was built so far is of no use: it is built again from the beginning."""


class _Complete(Exception):
    """The generation answers."""


async def build(site: Site, generation: Generation, lease: Lease) -> None:
    """Build a generation, whatever was left of an earlier attempt, and let it answer.

    Raises GivenUp when trying again would not help, as of a replay that comes to the same end twice.
    """
    progress = Progress(site.home, generation.number, site.instance)
    causes: set[str] = set()
    while True:
        try:
            await progress.begin(RebuildPhase.REBUILD_PHASE_PREPARING)
            await create(site.home, site.model, generation.number, lease)
            async with site.filling(generation.number, durable=False) as connections:
                await _Attempt(site, connections, generation, lease, progress).run()
        except _Complete:
            return
        except (_Again, EpochMoved) as error:
            if generation.method == RebuildMethod.REBUILD_METHOD_REPLAY and str(error) in causes:
                raise GivenUp(f"twice: {error}") from error
            causes.add(str(error))
            await progress.trouble(f"begun again: {error}")
            log.warning("generation_begun_again", generation=generation.number, reason=told(error))
            await asyncio.sleep(_AGAIN_SECONDS)
        except (NoRoom, JournalTrimmed, NobodyBuilds) as error:
            raise GivenUp(str(error)) from error


class _Attempt:
    """One attempt at building a generation, in tables that are empty when it begins."""

    def __init__(
        self, site: Site, connections: Connections, generation: Generation, lease: Lease, progress: Progress
    ) -> None:
        self._site = site
        self._connections = connections
        self._number = generation.number
        self._replays = generation.method == RebuildMethod.REBUILD_METHOD_REPLAY
        self._lease = lease
        self._progress = progress
        self._needed: dict[str, SourceHeads] = {}
        """The heads that each source's copy must reach before it is shown."""
        self._unusable = asyncio.Event()
        self._cause = ""

    async def run(self) -> None:
        """Build. Raises _Complete in the end."""
        fill = self._replay if self._replays else self._import
        await together(*(fill(source) for source in self._site.sources))
        subscribers = [
            self._site.subscriber(
                self._connections, self._number, source, self._needs_rebuild, building=not self._replays
            )
            for source in self._site.sources
        ]
        await together(self._complete(), self._until_unusable(), *(each.run() for each in subscribers))

    def _needs_rebuild(self, cause: str) -> None:
        self._cause = cause
        self._unusable.set()

    async def _until_unusable(self) -> None:
        await self._unusable.wait()
        raise _Again(self._cause)

    async def _replay(self, source: Source) -> None:
        """Fill the copy of one source from its journal; go on where it was, should the source be away for a while."""
        stream = await self._consumer(source)
        journal, name = self._site.journals[source.name], source.name
        applying = Applying(self._connections, name, self._site.model.projections[name])
        begun = await checkpoints.begin(self._connections, name)
        copy = Advancing(applying, begun, begun, Passed(), building=False)
        heads: SourceHeads | None = None
        while True:
            try:
                heads = self._needed[name] = heads or await journal.heads()
                async with aclosing(replay(journal, copy, heads)) as parts:
                    async for events in parts:
                        await self._progress.imported(name, events, sum(lane.seq for lane in heads.lanes))
            except SourceUnavailable as error:
                await self._wait(error)
            except (RebuildNeeded, JournalShort) as error:
                raise _Again(str(error)) from error
            else:
                self._check_lanes({name: copy.checkpoint})
                await copy.move(
                    replace(copy.checkpoint, stream_created=stream.created, stream_sequence=stream.last_seq)
                )
                return

    async def _import(self, source: Source) -> None:
        """Fill the copy of one source from its snapshot; go on where it was, should the source be away for a while."""
        stream = await self._consumer(source)
        applying = Applying(self._connections, source.name, self._site.model.projections[source.name])
        checkpoint = await checkpoints.begin(self._connections, source.name)
        begun, last = False, None
        while True:
            try:
                async with aclosing(self._site.journals[source.name].snapshot(last)) as chunks:
                    async for chunk in chunks:
                        after = checkpoint if begun else at(checkpoint, chunk.heads, stream)
                        self._check_epoch(after, chunk.heads)
                        checkpoint = await applying.apply(chunk.entries, checkpoint, after)
                        begun, last = True, chunk.entries[-1].aggregate_id if chunk.entries else last
                        self._needed[source.name] = chunk.heads
                        await self._progress.imported(source.name, len(chunk.entries), chunk.total)
            except SourceUnavailable as error:
                await self._wait(error)
            else:
                return

    def _check_epoch(self, checkpoint: Checkpoint, heads: SourceHeads) -> None:
        if checkpoint.epoch != heads.epoch:
            raise EpochMoved(f"{heads.source} began epoch {heads.epoch} meanwhile")

    async def _consumer(self, source: Source) -> StreamState:
        """Make the durable consumer, once there is a stream; return the stream as it was then or later."""
        while True:
            session = self._site.broker.present
            if session is None:
                await self._wait(BrokerAway(self._site.broker.trouble))
                continue
            try:
                await ensure_durable(session.jetstream, source, self._site.durable(self._number, source.name))
                return await stream_state(session.jetstream, source)
            except (NotFoundError, *BROKER_ERRORS, BrokerAway) as error:
                await self._wait(error)

    async def _wait(self, error: Exception) -> None:
        """Wait before something is tried again, visibly."""
        await self._progress.trouble(told(error))
        await asyncio.sleep(_RETRY_SECONDS)

    async def _complete(self) -> None:
        """Wait until the copies are complete, compare them with their sources, and show them. Raises _Complete."""
        await self._catch_up()
        while True:
            await self._verify()
            try:
                former = await flip(self._site.home, self._site.model, self._number, self._lease)
            except NotFlipped as error:
                await self._wait(error)
                self._check_lanes(await self._checkpoints())
                continue
            log.info("generation_complete", read_model=self._site.model.name, generation=self._number, former=former)
            raise _Complete

    async def _catch_up(self) -> None:
        """Wait until every lane has reached the heads of the last chunk."""
        begun = applied(await self._checkpoints())
        total = sum(lane.seq for heads in self._needed.values() for lane in heads.lanes) - begun
        await self._progress.begin(RebuildPhase.REBUILD_PHASE_CATCHING_UP, total=max(0, total))
        while True:
            found = await self._checkpoints()
            self._check_lanes(found)
            await self._progress.came(applied(found) - begun)
            if all(reached(found[name], heads) for name, heads in self._needed.items()):
                return
            await asyncio.sleep(_LOOK_SECONDS)

    async def _verify(self) -> None:
        """Compare the copies with their sources. Raises GivenUp when they differ."""
        await self._progress.begin(RebuildPhase.REBUILD_PHASE_VERIFYING)
        for source in self._site.model.sources:
            while True:
                try:
                    await self._compare(source)
                except (SourceUnavailable, AuditInterrupted) as error:
                    await self._wait(error)
                else:
                    break

    async def _compare(self, source: str) -> None:
        """Compare one copy; what is parked is no difference."""
        audit = Audit(self._connections, self._site.model, self._site.journals)
        async with aclosing(audit.run([source])) as steps:
            async for step in steps:
                await self._progress.compared(source, step.checked, max(step.checked, step.total))
                for each in step.differences:
                    if each.kind is not Kind.PARKED:
                        raise GivenUp(f"the copy of {source} {each.aggregate_id} differs: {each.detail}")

    def _check_lanes(self, found: Mapping[str, Checkpoint]) -> None:
        for checkpoint in found.values():
            for number, lane in enumerate(checkpoint.lanes):
                if lane.stopped is not None:
                    raise GivenUp(f"lane {number} of {checkpoint.source} stopped: {lane.stopped}")

    async def _checkpoints(self) -> dict[str, Checkpoint]:
        return await read_checkpoints(self._connections, self._site.model.schema(self._number))
