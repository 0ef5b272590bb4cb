"""Bringing a command database to the schema that the code expects, before the service serves.

Migrations are Alembic's, in `<package>/migrations/versions`, one line of them; a file's name begins with its revision
(`0001_first.py`), and they are numbered in order.
"""

from importlib.resources import files

from chassis.postgres import Unreachable, connect


async def migrate(dsn: str, package: str) -> None:
    """Run the migrations that have not run yet. Nearly always that is none, and Alembic is not even loaded.

    Raises one of `chassis.postgres.UNAVAILABLE`.
    """
    if await _present(dsn) != newest(package):
        from chassis.upgrading import upgrade  # noqa: PLC0415 - half a second and 20 MB that most starts don't need

        try:
            await upgrade(dsn, package)
        except OSError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error


def newest(package: str) -> str:
    """Return the revision of a package's newest migration."""
    versions = files(package) / "migrations" / "versions"
    return max(file.name.split("_")[0] for file in versions.iterdir() if file.name.endswith(".py"))


async def _present(dsn: str) -> str | None:
    """Return the revision that the database is at; None before the first migration."""
    connection = await connect(dsn)
    try:
        if await connection.fetchval("SELECT to_regclass('alembic_version')") is None:
            return None
        version: str | None = await connection.fetchval("SELECT version_num FROM alembic_version")
        return version
    finally:
        await connection.close()
