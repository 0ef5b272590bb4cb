"""The views of programs' versions and histories in PostgreSQL."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, Integer, Uuid, bindparam, func, or_, select
from training.program.v1.program_pb2 import Program, ProgramVersion

from bus.journal.history import History
from chassis.postgres import Connections
from chassis.refusal import ResourceNotFound
from chassis.sql import Statement
from program_svc.adapters import mapping
from program_svc.adapters.program_views import PostgresProgramViews
from program_svc.adapters.tables import PROGRAM_VERSION
from program_svc.application.views import Comparison, Numbered
from program_svc.domain.compare import compare

VERSION_TYPE: Final = "training.program.v1.ProgramVersion"

_OF_PROGRAM: Final = PROGRAM_VERSION.c.program_id == bindparam("program_id", type_=Uuid())
_BEFORE: Final = bindparam("before", type_=Integer())
_LIST: Final = Statement(
    select(PROGRAM_VERSION.c.number, PROGRAM_VERSION.c.details)
    .where(_OF_PROGRAM, or_(_BEFORE.is_(None), PROGRAM_VERSION.c.number < _BEFORE))
    .order_by(PROGRAM_VERSION.c.number.desc())
    .limit(bindparam("most", type_=BigInteger()))
)
_NUMBERED: Final = Statement(
    select(PROGRAM_VERSION.c.number, PROGRAM_VERSION.c.details).where(
        _OF_PROGRAM, PROGRAM_VERSION.c.number == func.any(bindparam("numbers", type_=ARRAY(Integer())))
    )
)


class PostgresVersionViews:
    """Reads versions and histories from the command database.

    A program is read before the versions that it left behind: one that leaves it in between is seen twice, and never
    missed.
    """

    def __init__(self, connections: Connections, programs: PostgresProgramViews) -> None:
        self._connections = connections
        self._programs = programs
        self._history = History(connections)

    async def list(self, program_id: UUID, before: int | None, most: int) -> Sequence[Numbered]:
        """Return the versions with smaller numbers, latest first."""
        kept = {version.number: version.SerializeToString() for version in await self._present(program_id)}
        values = {"program_id": program_id, "before": before, "most": most}
        left = {row["number"]: row["details"] for row in await _LIST.fetch(self._connections, values)}
        versions = sorted((left | kept).items(), reverse=True)
        return [(number, details) for number, details in versions if before is None or number < before][:most]

    async def compare(self, program_id: UUID, before: int, after: int) -> Comparison:
        """Return what differs between two versions; 0 stands for the live one, and for the working one."""
        program = Program.FromString(await self._programs.get(program_id))
        before = before or _number(program_id, program.live, "live")
        after = after or _number(program_id, program.working, "working")
        values = {"program_id": program_id, "numbers": [before, after]}
        rows = await _NUMBERED.fetch(self._connections, values)
        known = {row["number"]: ProgramVersion.FromString(row["details"]) for row in rows}
        known |= {version.number: version for version in _versions(program)}
        for number in (before, after):
            if number not in known:
                raise _no_version(program_id, str(number))
        contents = (mapping.read_version(known[number]).content for number in (before, after))
        return Comparison(before, after, compare(*contents))

    async def history(self, program_id: UUID, before: int | None, most: int, *, full: bool) -> Sequence[Numbered]:
        """Return the history's entries of earlier revisions, latest first; unless in full, without contents."""
        await self._programs.get(program_id)
        recorded = await self._history.of(program_id, before, most)
        return [
            (
                each.revision,
                mapping.history_entry(
                    each.revision, each.recorded_at, each.principal, each.private, full=full
                ).SerializeToString(),
            )
            for each in recorded
        ]

    async def _present(self, program_id: UUID) -> Sequence[ProgramVersion]:
        return _versions(Program.FromString(await self._programs.get(program_id)))


def _versions(program: Program) -> Sequence[ProgramVersion]:
    return [version for version in (program.live, program.working) if version.number]


def _number(program_id: UUID, version: ProgramVersion, kind: str) -> int:
    if not version.number:
        raise _no_version(program_id, kind)
    return version.number


def _no_version(program_id: UUID, which: str) -> ResourceNotFound:
    metadata = {"resource_type": VERSION_TYPE, "resource_name": f"{program_id}/{which}"}
    return ResourceNotFound(f"The program {program_id} has no version {which}.", metadata=metadata)
