"""A database for each service, and a role that owns it and can enter no other."""

import secrets
from collections.abc import Iterable
from pathlib import Path

import asyncpg

from chassis.embedded import EmbeddedPostgres
from chassis.embedded.ports import LOOPBACK
from chassis.embedded.server import keep_secret
from chassis.postgres import Connection

_CONNECT_SECONDS = 10.0


class Databases:
    """The services' databases on the stack's PostgreSQL; a password, once made, stays the same."""

    def __init__(self, server: EmbeddedPostgres, folder: Path) -> None:
        self._server = server
        self._folder = folder
        self._passwords: dict[str, str] = {}

    async def create(self, names: Iterable[str]) -> None:
        """Bring the databases and their roles into being, unless they are."""
        connection: Connection = await asyncpg.connect(self._server.dsn(), timeout=_CONNECT_SECONDS, ssl=False)
        try:
            for name in names:
                self._passwords[name] = self._password(name)
                await _create(connection, name, self._passwords[name])
        finally:
            await connection.close()

    def dsn(self, name: str) -> str:
        """Return the address of a service's database for its role, password included."""
        return f"postgresql://{name}:{self._passwords[name]}@{LOOPBACK}:{self._server.port}/{name}"

    def _password(self, name: str) -> str:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = self._folder / name
        if not file.exists():
            keep_secret(file, secrets.token_hex(24))
        return file.read_text(encoding="utf-8")


async def _create(connection: Connection, name: str, password: str) -> None:
    """Create one database and its role; statements of definition take no parameters, and both words are ours."""
    known = await connection.fetchval("SELECT true FROM pg_roles WHERE rolname = $1", name)
    await connection.execute(f"{'ALTER' if known else 'CREATE'} ROLE \"{name}\" LOGIN PASSWORD '{password}'")
    if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
        await connection.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await connection.execute(f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC')
