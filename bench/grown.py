"""A command database that has grown: many published aggregates, as copies of a few that its service made.

They stand in the aggregates' tables only, without events: what exports and digests read is just that.
"""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

import asyncpg
from training.offer.v1.offer_pb2 import Offer
from training.program.v1.program_pb2 import Program

from bench.ground import Ground
from bench.world import chance, content, new_id

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]  # generic for type checkers only

_AT_ONCE: Final = 5_000
_DAYS: Final = 300


async def grow_programs(ground: Ground, count: int) -> list[UUID]:
    """Copy a released program so often, each copy with a text of its own; return the copies' ids."""
    database = await ground.database("program")
    found = await database.fetchrow("SELECT * FROM program WHERE public_revision IS NOT NULL LIMIT 1")
    assert found is not None  # noqa: S101 - the stock has one
    template, ids = Program.FromString(found["state"]), [new_id() for _ in range(count)]

    def rows() -> Iterator[Mapping[str, Any]]:
        for each in ids:
            template.program_id = str(each)
            template.live.content.CopyFrom(content())
            yield {"program_id": each, "public_event_id": new_id(), "state": template.SerializeToString()}

    await _write(database, "program", found, rows())
    return ids


async def grow_offers(ground: Ground, count: int, programs: list[UUID]) -> None:
    """Copy a published offer so often, each copy of one of the programs and on days of its own."""
    database = await ground.database("offer")
    found = await database.fetchrow("SELECT * FROM offer WHERE public_revision IS NOT NULL LIMIT 1")
    assert found is not None  # noqa: S101 - as above
    template = Offer.FromString(found["state"])
    begun = template.schedule.sessions[0].start_time.ToDatetime()

    def rows() -> Iterator[Mapping[str, Any]]:
        for number in range(count):
            each, program_id = new_id(), programs[number % len(programs)]
            template.offer_id, template.program_id = str(each), str(program_id)
            session = template.schedule.sessions[0]
            session.start_time.FromDatetime(begun + timedelta(days=chance.randrange(_DAYS)))
            session.end_time.FromDatetime(session.start_time.ToDatetime() + timedelta(hours=3))
            yield {
                "offer_id": each,
                "program_id": program_id,
                "public_event_id": new_id(),
                "state": template.SerializeToString(),
            }

    await _write(database, "offer", found, rows())


async def _write(
    database: "Connection", table: str, template: asyncpg.Record, rows: Iterator[Mapping[str, Any]]
) -> None:
    columns = [name for name in template.keys() if name != "titles"]  # noqa: SIM118 - a record iterates over values
    batch: list[tuple[Any, ...]] = []
    for row in rows:
        batch.append(tuple(row.get(name, template[name]) for name in columns))
        if len(batch) == _AT_ONCE:
            await database.copy_records_to_table(table, records=batch, columns=columns)
            batch = []
    if batch:
        await database.copy_records_to_table(table, records=batch, columns=columns)
