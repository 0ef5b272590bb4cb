"""A disk that is full under one database: a small file system of its own where one may be mounted.

Where none may be (an ordinary user's machine), a table that every commit ends with refuses it in PostgreSQL's own
words, with the SQLSTATE of a full disk: what a service sees is the same.
"""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import asyncpg

from chassis.stack import Stack
from tests.e2e.mishaps import connected, generation_of

_SIZE = 64 * 1024 * 1024
_REFUSAL = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
END $$
"""


class Disk:
    """The disk of a service's database."""

    def __init__(self, stack: Stack, service: str, folder: Path | None) -> None:
        self._stack = stack
        self._service = service
        self._folder = folder
        self._schema = "public"

    async def fill(self) -> None:
        """Leave no space."""
        if self._folder is not None:
            await asyncio.to_thread(_fill, self._folder / "filler")
            return
        if self._service == "catalogue":
            self._schema = await generation_of(self._stack)
        table = "checkpoint" if self._service == "catalogue" else "lane"
        async with connected(self._stack.dsn(self._service)) as database:
            await database.execute(f"SET search_path = {self._schema}")
            await database.execute(_REFUSAL)
            await database.execute(
                f"CREATE TRIGGER full_disk BEFORE UPDATE ON {table} FOR EACH ROW EXECUTE FUNCTION full_disk()"
            )

    async def empty(self) -> None:
        """Make space."""
        if self._folder is not None:
            (self._folder / "filler").unlink()
            return
        async with connected(self._stack.dsn(self._service)) as database:
            await database.execute(f"DROP FUNCTION {self._schema}.full_disk CASCADE")


@asynccontextmanager
async def small_disk(stack: Stack, service: str) -> AsyncIterator[Disk]:
    """Move a service's database to a small disk, if there can be one, while the context lasts."""
    folder = stack.folder / f"disk_{service}"
    folder.mkdir()
    if not await _mounted(folder):
        yield Disk(stack, service, None)
        return
    try:
        owner = (stack.postgres.folder / "data").stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        space = f"small_{service}"
        await _move(
            stack,
            service,
            f"CREATE TABLESPACE {space} LOCATION '{folder}'",
            f"ALTER DATABASE {service} SET TABLESPACE {space}",
        )
        yield Disk(stack, service, folder)
        await _move(stack, service, f"ALTER DATABASE {service} SET TABLESPACE pg_default", f"DROP TABLESPACE {space}")
    finally:
        await asyncio.to_thread(subprocess.run, ["umount", "--lazy", str(folder)], check=False, capture_output=True)


async def _move(stack: Stack, service: str, *statements: str) -> None:
    """Run statements of an administrator while nobody uses the service's database."""
    await stack.stop(service)
    async with connected(stack.postgres.dsn()) as database:
        for statement in statements:
            await _when_unused(database, statement)
    await stack.start(service)


async def _when_unused(database: "asyncpg.Connection[asyncpg.Record]", statement: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with suppress(asyncpg.ObjectInUseError):
                await database.execute(statement)
                return
            await asyncio.sleep(0.1)


async def _mounted(folder: Path) -> bool:
    if os.geteuid() != 0 or shutil.which("mount") is None:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={_SIZE}", "tmpfs", str(folder)]
    done = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True)
    return done.returncode == 0


def _fill(file: Path) -> None:
    with suppress(OSError), file.open("wb", buffering=0) as stream:
        while stream.write(bytes(4096)) == 4096:
            pass
