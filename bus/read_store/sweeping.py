"""Taking away what nobody needs any more: generations that were succeeded or given up, and old versions.

A version of the read model is old when a newer one looks and nobody has renewed a lease in it for a day: until then
replicas of older code, or code that is rolled back, go on with their own.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Final

import structlog
from nats.js.errors import NotFoundError

from bus.broker import BrokerAway, Session
from bus.read_store.generations import drop, read_registry
from bus.read_store.read_model import generation_of
from bus.read_store.site import Site
from bus.tasks import asked
from chassis.postgres import Connections

_SWITCHED_SECONDS: Final = 5.0
"""How long those who still fill a generation are waited for."""
_LOOK_SECONDS: Final = 0.1
_CONSUMERS_A_PAGE: Final = 256
_UNUSED: Final = timedelta(hours=24)

log: Final = structlog.get_logger(__name__)


async def sweep(site: Site) -> None:
    """Take away the generations that are neither current nor being built. Raises BrokerAway while the broker is."""
    async with site.home.lent() as connection:
        registry = await read_registry(connection, site.model)
    needed = {each.number for each in (registry.current, registry.building) if each is not None}
    for number in registry.leftovers:
        await _until_left(site.home, number)
    await _delete_durables(site, lambda name: _generation_named(site, name) not in {None, *needed})
    for number in registry.leftovers:
        await drop(site.home, site.model, number)
        log.info("generation_dropped", read_model=site.model.name, generation=number)


async def sweep_old_versions(site: Site, unused: timedelta = _UNUSED) -> None:
    """Take away the versions before this one that nobody has used for a while.

    Raises BrokerAway while the broker is.
    """
    for home in await _old_versions(site, unused):
        prefix = f"{site.owner}-{home}-"
        await _delete_durables(site, partial(_begins, prefix))
        rows = await site.home.fetch("SELECT nspname::text FROM pg_namespace WHERE starts_with(nspname, $1)", home)
        generations = [row["nspname"] for row in rows if generation_of(home, row["nspname"]) is not None]
        for schema in (home, *generations):
            await site.home.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
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


async def _old_versions(site: Site, unused: timedelta) -> list[str]:
    rows = await site.home.fetch(
        "SELECT nspname::text FROM pg_namespace WHERE to_regclass(quote_ident(nspname) || '.lease') IS NOT NULL"
    )
    old = []
    for row in rows:
        version = site.model.version_of(row["nspname"])
        if version is not None and version < site.model.version:
            used = f"SELECT 1 FROM {row['nspname']}.lease WHERE renewed_at > clock_timestamp() - $1::interval"  # noqa: S608 - the name of a schema
            if await site.home.fetchrow(used, unused) is None:
                old.append(row["nspname"])
    return old


async def _delete_durables(site: Site, doomed: Callable[[str], bool]) -> None:
    """Delete the durables on the sources' streams whose names say so."""
    session = site.broker.present
    if session is None:
        raise BrokerAway(site.broker.trouble)
    for source in site.sources:
        with suppress(NotFoundError):  # a stream that is not there has no durables
            for name in await _durables(session, source.stream):
                if doomed(name):
                    await asked(session.jetstream.delete_consumer(source.stream, name))


async def _durables(session: Session, stream: str) -> list[str]:
    found: list[str] = []
    while True:
        page = await asked(session.jetstream.consumers_info(stream, offset=len(found)))
        found += [info.name for info in page]
        if len(page) < _CONSUMERS_A_PAGE:
            return found


def _begins(prefix: str, name: str) -> bool:
    return name.startswith(prefix)


def _generation_named(site: Site, durable: str) -> int | None:
    """Return the generation that a durable of this read model is for; None for what is none of its durables."""
    prefix = f"{site.owner}-{site.model.name}-g"
    number = durable.removeprefix(prefix).partition("-")[0]
    return int(number) if durable.startswith(prefix) and number.isdecimal() else None
