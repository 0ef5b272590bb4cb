"""Building and sweeping, which one process at a time does for all that share a read store."""

from collections.abc import Callable
from time import monotonic
from typing import Final

import structlog
from training.ops.v1.operations_service_pb2 import REBUILD_METHOD_SNAPSHOT

from bus.lease import Lease
from bus.read_store import generations
from bus.read_store.building import GivenUp, build
from bus.read_store.generations import Generation, Registry, read_registry
from bus.read_store.site import Site
from bus.read_store.sweeping import sweep, sweep_old_versions
from bus.tasks import together

BUILDER: Final = "builder"
"""The lease of who builds and sweeps."""

_OLD_VERSIONS_SECONDS: Final = 3600.0

log: Final = structlog.get_logger(__name__)


class _Done(Exception):
    """What was to be done under the lease is done."""


class Builder:
    """One process's turns as the one that builds; `unusable` tells why the current generation is to be built anew."""

    def __init__(self, site: Site, unusable: Callable[[Registry], str]) -> None:
        self._site = site
        self._unusable = unusable
        self._old_versions_at = 0.0
        self.acts = False
        """Whether it is this process's turn."""
        self.builds = 0
        """The generation that this process builds: it fills it itself to the last moment."""

    def called_for(self, registry: Registry) -> bool:
        """Tell whether there is something to do."""
        return (
            registry.current is None
            or registry.building is not None
            or bool(registry.leftovers)
            or bool(self._unusable(registry))
            or monotonic() >= self._old_versions_at
        )

    async def act(self, highest: int, built: Callable[[], None]) -> bool:
        """Do what there is to do, unless another one does: then tell that.

        A new generation gets a number above `highest`; `built` is called when one was, or was given up. Raises GivenUp,
        LeaseLost, or what the database or the broker is at fault for.
        """
        async with self._site.home.lent() as connection:
            lease = await Lease.take(connection, BUILDER, self._site.instance)
            if lease is None:
                return False
            self.acts = True
            try:
                await together(lease.keep(connection), self._act(lease, highest, built))
            except _Done:
                await lease.give_up(connection)
            finally:
                self.acts = False
                connection.terminate()  # whatever happened, the lease is free
            return True

    async def _act(self, lease: Lease, highest: int, built: Callable[[], None]) -> None:
        """Build what is to be built, then take away what is not needed. Raises _Done."""
        generation = await self._wanted(highest)
        if generation is not None:
            self.builds = generation.number
            try:
                await build(self._site, generation, lease)
            except GivenUp as error:
                log.warning("generation_given_up", generation=generation.number, reason=str(error))
                await generations.abandon(self._site.home, generation.number, str(error), lease)
                raise
            finally:
                self.builds = 0
                built()
        await sweep(self._site, lease)
        if monotonic() >= self._old_versions_at:
            await sweep_old_versions(self._site, lease)
            self._old_versions_at = monotonic() + _OLD_VERSIONS_SECONDS
        raise _Done

    async def _wanted(self, highest: int) -> Generation | None:
        """Return the generation that is to be built now, if one is."""
        home, model = self._site.home, self._site.model
        async with home.lent() as connection:
            registry = await read_registry(connection, model)
        if registry.building is not None:
            return registry.building
        cause = "there is none of this version" if registry.current is None else self._unusable(registry)
        if not cause:
            return None
        number = await generations.begin(home, model, REBUILD_METHOD_SNAPSHOT, cause, after=highest)
        return await generations.find(home, number)
