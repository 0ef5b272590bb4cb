"""The operators' guide where a command database is backed up, restored, replaced: it is on a server of its own."""

import os
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.embedded import EmbeddedPostgres, temporary_data_folder
from chassis.stack import Listening, Stack
from chassis.stack.service_server import ServiceServer
from chassis.stack.services import PROGRAM
from tests.contract.places import follow
from tests.e2e import mishaps
from tests.e2e.guide import Operator

pytestmark = pytest.mark.timeout(300)

SECTIONS = (
    "Backing up a command database",
    "A command database is restored from a dump",
    "A command database is restored to a moment",
    "A superseded service still runs",
    "A standby was promoted",
    "A command database is restored as a copy of its files",
)


@dataclass
class Apart:
    """A stack whose program service has its database on a server apart."""

    stack: Stack
    server: EmbeddedPostgres
    dsn: str
    archive: Path

    def operator(self, **variables: str) -> Operator:
        """Return an operator who works on that database."""
        return Operator(self.stack, ADMIN_URL=self.server.dsn("postgres"), PROGRAM_DATABASE_URL=self.dsn, **variables)


@pytest.fixture
async def apart() -> AsyncIterator[Apart]:
    """Run everything, with something in it."""
    with temporary_data_folder("training-apart-") as folder:
        archive = folder / "archive"
        archive.mkdir()
        archive.chmod(0o777)  # the server may run under another account
        settings = {"archive_mode": "on", "archive_command": f"cp %p {archive}/%f"}
        async with EmbeddedPostgres(folder / "postgres", durable=False, settings=settings) as server:
            async with mishaps.connected(server.dsn()) as admin:
                await admin.execute("CREATE ROLE program LOGIN PASSWORD 'apart'")
                await admin.execute("CREATE DATABASE program OWNER program")
            dsn = f"postgresql://program:apart@127.0.0.1:{server.port}/program"
            async with Stack.temporary(settings={"PROGRAM_DATABASE_URL": dsn}) as stack:
                await stack.wait_ready(health="training.freshness", within=60)
                await mishaps.import_program(stack, "b001")
                await stack.wait_ready(health="training.freshness", within=60)
                yield Apart(stack, server, dsn, archive)


async def test_backups_of_a_command_database(apart: Apart) -> None:
    await apart.operator().follow("Backing up a command database", {})


async def test_a_restored_database_and_one_that_was_replaced_by_it(apart: Apart) -> None:
    stack = apart.stack

    async def lose() -> None:
        await apart.operator().shell('pg_dump --format custom --file program.dump "$PROGRAM_DATABASE_URL"')
        await mishaps.import_program(stack, "d001")
        await mishaps.until(lambda: _shown(stack, "d001"))
        await stack.stop("program")

    await apart.operator().follow(
        "A command database is restored from a dump",
        {
            "a dump is taken, a program is imported, and the service is stopped": lose,
            "the service is started": lambda: stack.start("program"),
        },
    )
    listening = Listening.anywhere()
    variables = {
        "TRAINING_DEVELOPMENT_PRINCIPALS": "true",
        "PROGRAM_GRPC_ADDRESS": str(listening.grpc),
        "PROGRAM_METRICS_ADDRESS": str(listening.metrics),
        "PROGRAM_DATABASE_URL": apart.dsn.removesuffix("program") + "program_lost",
        "NATS_URL": stack.nats_url,
    }
    old = ServiceServer(PROGRAM, stack.folder / "old", listening, lambda: variables)
    try:
        await apart.operator(OLD_ADDRESS=str(listening.grpc)).follow(
            "A superseded service still runs",
            {"a process is started on the database that was replaced": old.start, "the process is stopped": old.stop},
        )
    finally:
        await old.stop()


async def test_a_database_that_is_set_back_to_a_moment(apart: Apart) -> None:
    stack, server = apart.stack, apart.server
    base = await _base_backup(apart)
    await mishaps.import_program(stack, "e004")
    async with mishaps.connected(server.dsn()) as admin:
        moment = await admin.fetchval("SELECT clock_timestamp()::text")

    async def set_back() -> None:
        await mishaps.import_program(stack, "e005")
        await mishaps.until(lambda: _shown(stack, "e005"))
        await server.stop()  # its log is archived to the end
        shutil.rmtree(server.folder / "data")
        _put(base, server.folder / "data", server)

    variables = {"ARCHIVE": str(apart.archive), "PGDATA": str(server.folder / "data"), "MOMENT": str(moment)}
    await apart.operator(**variables).follow(
        "A command database is restored to a moment",
        {
            "programs are imported before and after the moment, the server is stopped, and the base backup takes its "
            "files' place": set_back,
            "the server is started": server.start,
        },
    )


async def test_a_standby_that_is_promoted(apart: Apart) -> None:
    stack, primary = apart.stack, apart.server
    base = await _base_backup(apart)
    standby = EmbeddedPostgres(primary.folder.parent / "standby", port=None, durable=False)
    _put(base, standby.folder / "data", primary)
    shutil.copy(primary.folder / "password", standby.folder / "password")
    follow(standby, primary)
    await standby.start()
    url = standby.dsn()

    async def lose() -> None:
        await mishaps.import_program(stack, "e001")
        await mishaps.until(lambda: _in_journal(standby.dsn("program"), "e001"))
        await standby.stop()
        await mishaps.import_program(stack, "e002")
        await mishaps.until(lambda: _shown(stack, "e002"))
        await primary.kill()
        await standby.start()

    async def move() -> None:
        await standby.stop()
        moved = EmbeddedPostgres(standby.folder, port=primary.port, durable=False)
        servers.append(moved)
        await moved.start()

    servers = [standby]
    try:
        await apart.operator(STANDBY_URL=url).follow(
            "A standby was promoted",
            {
                "a standby falls behind, and the primary is lost": lose,
                "the database's address moves to the standby": move,
            },
        )
    finally:
        for server in servers:
            await server.stop()


async def test_a_copy_of_the_files_that_was_put_back(apart: Apart) -> None:
    stack, server = apart.stack, apart.server

    async def put_back() -> None:
        base = await _base_backup(apart)
        await mishaps.import_program(stack, "e003")
        await mishaps.until(lambda: _shown(stack, "e003"))
        await server.kill()
        shutil.rmtree(server.folder / "data")
        _put(base, server.folder / "data", server)
        await server.start()

    await apart.operator().follow(
        "A command database is restored as a copy of its files",
        {"a program is imported after the base backup, and the backup's files are put back": put_back},
    )


async def _base_backup(apart: Apart) -> Path:
    said = await apart.operator().shell('pg_basebackup --dbname "$ADMIN_URL" --pgdata base --checkpoint fast')
    assert said == ""
    return apart.stack.folder / "base"


def _put(base: Path, data: Path, server: EmbeddedPostgres) -> None:
    """Move a base backup to where a server has its data, as the server's own files."""
    owner = (server.folder / "password").stat()
    data.parent.mkdir(mode=0o711, exist_ok=True)
    shutil.move(base, data)
    if os.geteuid() == 0:
        for path in (data, *data.rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


async def _shown(stack: Stack, number: str) -> bool:
    """Tell whether the catalogue has a program."""
    async with mishaps.connected(stack.dsn("catalogue")) as database:
        shown = "SELECT count(*) FROM read_model_2.program WHERE program_id = $1::text::uuid"
        return bool(await database.fetchval(shown, mishaps.id_of(number)))


async def _in_journal(dsn: str, number: str) -> bool:
    async with mishaps.connected(dsn) as database:
        there = "SELECT count(*) FROM journal WHERE aggregate_id = $1::text::uuid"
        return bool(await database.fetchval(there, mishaps.id_of(number)))
