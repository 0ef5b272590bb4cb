"""What befalls a command database: backups, restores, copies of its files, promoted standbys. All real."""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg

from chassis.embedded import EmbeddedPostgres


class Place:
    """One database on a server, which its operator backs up and restores; its address stays the same."""

    def __init__(self, server: EmbeddedPostgres, dsn: str) -> None:
        self.name = urlsplit(dsn).path.lstrip("/")
        self._server = server

    async def back_up(self) -> str:
        """Copy the database as it stands; return the copy's name. Everybody connected loses the connection."""
        copy = f"backup_{uuid4().hex}"
        await self._closed(f'CREATE DATABASE "{copy}" TEMPLATE "{self.name}"')
        return copy

    async def restore(self, copy: str) -> None:
        """Put a copy in the database's place. Everybody connected loses the connection; the copy can be used again."""
        forgotten = f"forgotten_{uuid4().hex}"
        await self._closed(
            f'ALTER DATABASE "{self.name}" RENAME TO "{forgotten}"',
            f'CREATE DATABASE "{self.name}" TEMPLATE "{copy}"',
            f'DROP DATABASE "{forgotten}"',
        )

    async def drop(self, copy: str) -> None:
        """Drop a copy."""
        await self._closed(f'DROP DATABASE "{copy}"')

    async def _closed(self, *statements: str) -> None:
        """Do something while nobody can connect; statements can't run in one transaction."""
        admin = await asyncpg.connect(self._server.dsn(), timeout=10)
        try:
            await admin.execute(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS false')
            while await admin.fetchval(  # noqa: ASYNC110 - the server tells when they are gone only if asked
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1", self.name
            ):
                await asyncio.sleep(0.01)
            for statement in statements:
                await admin.execute(statement)
            await admin.execute(f'ALTER DATABASE "{self.name}" ALLOW_CONNECTIONS true')
        finally:
            await admin.close()


def copy_of(server: EmbeddedPostgres, folder: Path) -> EmbeddedPostgres:
    """Copy the files of a server that is stopped, as a cold backup does; return a server on the copy."""
    folder.mkdir()
    shutil.copytree(server.folder / "data", folder / "data")
    shutil.copy(server.folder / "password", folder / "password")
    if os.geteuid() == 0:  # as root the server has an account of its own
        owner = (server.folder / "data").stat()
        for path in (folder / "data", *(folder / "data").rglob("*")):
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)
    return EmbeddedPostgres(folder, durable=False)


def follow(standby: EmbeddedPostgres, primary: EmbeddedPostgres) -> None:
    """Make the server on a copy a standby of the one that was copied, before it starts."""
    data = standby.folder / "data"
    address = urlsplit(primary.dsn())
    (data / "postgresql.auto.conf").write_text(
        f"primary_conninfo = 'host={address.hostname} port={address.port} user={address.username} "
        f"password={address.password}'\n",
        encoding="utf-8",
    )
    (data / "standby.signal").touch()


@asynccontextmanager
async def admin_of(
    server: EmbeddedPostgres, database: str = "postgres"
) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Lend an administrator's connection."""
    connection = await asyncpg.connect(server.dsn(database), timeout=10)
    try:
        yield connection
    finally:
        await connection.close()
