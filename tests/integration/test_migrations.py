"""Migrations lead to exactly the tables that the code declares, and back to nothing."""

from collections.abc import Awaitable, Callable
from importlib import import_module

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, inspect, text
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.migrations import migrate, newest

pytestmark = pytest.mark.parametrize("package", ["program_svc", "offer_svc"])
NewDatabase = Callable[[], Awaitable[str]]


def configuration(package: str, connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", f"{package}:migrations")
    config.attributes["connection"] = connection
    return config


async def test_a_migrated_database_has_the_declared_tables(package: str, database: NewDatabase) -> None:
    dsn = await database()
    await migrate(dsn, package)
    declared: MetaData = import_module(f"{package}.adapters.tables").METADATA
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.connect() as connection:
        assert await connection.run_sync(lambda real: compare_metadata(without_partitions(real), declared)) == []
    await engine.dispose()


def without_partitions(real: Connection) -> MigrationContext:
    """Look at the tables that are declared, and not at the partitions of which some of them consist."""
    parts = set(real.execute(text("SELECT inhrelid::regclass::text FROM pg_inherits")).scalars())

    def counts(name: str | None, kind: str, _: object) -> bool:
        return kind != "table" or name not in parts

    return MigrationContext.configure(real, opts={"compare_server_default": True, "include_name": counts})


async def test_migrating_again_changes_nothing(package: str, database: NewDatabase) -> None:
    dsn = await database()
    await migrate(dsn, package)
    await migrate(dsn, package)


async def test_every_migration_can_be_taken_back(package: str, database: NewDatabase) -> None:
    dsn = await database()
    await migrate(dsn, package)
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))

    def take_back(real: Connection) -> list[str]:
        command.downgrade(configuration(package, real), "base")
        return inspect(real).get_table_names()

    async with engine.begin() as connection:
        assert await connection.run_sync(take_back) == ["alembic_version"]
    await engine.dispose()


def test_the_newest_migration_is_told_by_its_file_name(package: str) -> None:
    assert newest(package) == ScriptDirectory.from_config(configuration(package)).get_current_head()
