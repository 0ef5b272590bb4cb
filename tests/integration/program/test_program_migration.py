from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import uuid4

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine

PROGRAM = text(
    "INSERT INTO program (program_id, revision, status, author, updated_at, state)"
    " VALUES (:program_id, 1, 1, 'anna', :now, '')"
)
Step = Callable[[Config, str], None]
STEPS: list[tuple[Step, str, str]] = [
    (command.upgrade, "0002", "SELECT authors FROM program"),
    (command.downgrade, "0001", "SELECT ARRAY[author] FROM program"),
]


async def test_programs_keep_their_authors_on_the_way_to_the_next_tables_and_back(
    database: Callable[[], Awaitable[str]],
) -> None:
    def go(real: Connection, step: Step, revision: str) -> None:
        config = Config()
        config.set_main_option("script_location", "program_svc:migrations")
        config.attributes["connection"] = real
        step(config, revision)

    engine = create_async_engine((await database()).replace("postgresql://", "postgresql+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(go, command.upgrade, "0001")
        await connection.execute(PROGRAM, {"program_id": uuid4(), "now": datetime.now(UTC)})
    for step, revision, query in STEPS:
        async with engine.begin() as connection:
            await connection.run_sync(go, step, revision)
            found = (await connection.execute(text(query))).scalar_one()
            assert found == ["anna"], revision
    await engine.dispose()
