"""Taking away what nobody needs any more: generations that were succeeded or given up, and old versions.

A version of the read model is old when a newer one looks and nobody has renewed a lease in it for a day: until then
replicas of older code, or code that is rolled back, go on with their own.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Final, TypeAlias

import structlog
from nats.js.errors import NotFoundError

from bus.broker import BrokerAway, Session
from bus.lease import Lease
from bus.read_store.generation_schema import drop
from bus.read_store.generations import hold, read_registry
from bus.read_store.read_model import generation_of
from bus.read_store.site import Site
from bus.tasks import asked
from chassis.postgres import Connection, Connections

_SWITCHED_SECONDS: Final = 5.0
"""How long those who still fill a generation are waited for."""
_LOOK_SECONDS: Final = 0.1
_CONSUMERS_A_PAGE: Final = 256
_UNUSED: Final = timedelta(hours=24)

_Doomed: TypeAlias = Callable[[Connection, str], Awaitable[bool]]

log: Final = structlog.get_logger(__name__)


async def sweep(site: Site, lease: Lease) -> None:
    """Take away the generations that are neither current nor being built.

    Raises BrokerAway while the broker is, LeaseLost when another sweeps now.
    """
    async with site.home.lent() as connection:
        leftovers = (await read_registry(connection, site.model)).leftovers
    for number in leftovers:
        await _until_left(site.home, number)
    await _delete_durables(site, lease, partial(_of_unneeded, site))
    for number in leftovers:
        if await drop(site.home, site.model, number, lease):
            log.info("generation_dropped", read_model=site.model.name, generation=number)


async def sweep_old_versions(site: Site, lease: Lease, unused: timedelta = _UNUSED) -> None:
    """Take away the versions before this one that nobody has used for a while.

    Raises BrokerAway while the broker is, LeaseLost when another sweeps now.
    """
    for home in await _old_versions(site.home, site, unused):
        prefix = f"{site.owner}-{home}-"
        await _delete_durables(site, lease, partial(_begins, prefix))
        async with site.home.transaction() as connection:
            await hold(connection, lease)
            if home not in await _old_versions(connection, site, unused):
                continue
            rows = await connection.fetch("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)", home)
            generations = [row["nspname"] for row in rows if generation_of(home, row["nspname"]) is not None]
            for schema in (home, *generations):
                await connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        log.info("read_model_dropped", read_model=home)


async def _until_left(home: Connections, number: int) -> None:
    """Wait until nobody fills a generation any more, or has had time enough to notice that it was succeeded."""
    held = (
        "SELECT 1 FROM lease JOIN pg_stat_activity "
        "ON pid = backend_pid AND lease.backend_start = pg_stat_activity.backend_start "
        "WHERE name LIKE $1 AND expires_at > clock_timestamp()"
    )
    until = monotonic() + _SWITCHED_SECONDS
    while await home.fetchrow(held, f"projector/%/g{number}") is not None and monotonic() < until:  # noqa: ASYNC110 - other processes, no event to await
        await asyncio.sleep(_LOOK_SECONDS)


async def _old_versions(on: Connection | Connections, site: Site, unused: timedelta) -> list[str]:
    rows = await on.fetch(
        "SELECT nspname::text FROM pg_namespace JOIN pg_class ON relnamespace = pg_namespace.oid "
        "WHERE relname = 'lease' AND relkind = 'r'"
    )
    old = []
    for row in rows:
        version = site.model.version_of(row["nspname"])
        if version is not None and version < site.model.version:
            used = f"SELECT 1 FROM {row['nspname']}.lease WHERE renewed_at > clock_timestamp() - $1::interval"  # noqa: S608 - the name of a schema
            if await on.fetchrow(used, unused) is None:
                old.append(row["nspname"])
    return old


async def _delete_durables(site: Site, lease: Lease, doomed: _Doomed) -> None:
    """Delete the durables on the sources' streams that are doomed, each while nobody else can sweep or build."""
    session = site.broker.present
    if session is None:
        raise BrokerAway(site.broker.trouble)
    for source in site.sources:
        with suppress(NotFoundError):  # a stream that is not there has no durables
            for name in await _durables(session, source.stream):
                async with site.home.transaction() as connection:
                    await hold(connection, lease)
                    if await doomed(connection, name):
                        await asked(session.jetstream.delete_consumer(source.stream, name))


async def _durables(session: Session, stream: str) -> list[str]:
    found: list[str] = []
    while True:
        page = await asked(session.jetstream.consumers_info(stream, offset=len(found)))
        found += [info.name for info in page]
        if len(page) < _CONSUMERS_A_PAGE:
            return found


async def _begins(prefix: str, _: Connection, name: str) -> bool:
    return name.startswith(prefix)


async def _of_unneeded(site: Site, connection: Connection, name: str) -> bool:
    """Tell whether a durable is for a generation of this read model that is neither current nor being built."""
    number = _generation_named(site, name)
    return number is not None and number not in (await read_registry(connection, site.model)).needed


def _generation_named(site: Site, durable: str) -> int | None:
    """Return the generation that a durable of this read model is for; None for what is none of its durables."""
    prefix = f"{site.owner}-{site.model.name}-g"
    number = durable.removeprefix(prefix).partition("-")[0]
    return int(number) if durable.startswith(prefix) and number.isdecimal() else None
