"""The operators' guide on a running platform: each section is followed to the letter, and prints what it says."""

import asyncio
import re
from collections.abc import AsyncIterator
from uuid import UUID

import pytest

from chassis.stack import Stack
from tests.e2e import mishaps, readers
from tests.e2e.full_disk import small_disk
from tests.e2e.guide import PAGE, Operator, sections
from tests.e2e.test_operations_databases import SECTIONS as OF_DATABASES
from tests.e2e.tour import ROOT

pytestmark = pytest.mark.timeout(300)

_DEFECT = """
CREATE FUNCTION defect() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  RAISE EXCEPTION 'a level that is none' USING ERRCODE = 'invalid_parameter_value';
END $$
"""
SECTIONS = (
    "Where to look",
    "The broker is lost",
    "The broker's store was wiped",
    "The broker's store was rolled back",
    "A projector lags",
    "A projector has stopped",
    "A poison event",
    "The read store was dropped",
    "A copy is suspected to be wrong",
    "A disk is full",
)


@pytest.fixture(scope="module")
async def shared() -> AsyncIterator[Stack]:
    async with Stack.temporary() as running:
        await running.wait_ready(health="training.freshness", within=60)
        await mishaps.import_program(running, "b001")
        await running.wait_ready(health="training.freshness")
        await mishaps.until(lambda: _has(running, "offer"))
        await mishaps.import_offer(running)
        yield running


async def _has(stack: Stack, service: str) -> bool:
    """Tell whether a copy of programs has something in it."""
    (copy, *_) = (await mishaps.status_of(stack, service)).subscriptions
    return any(lane.applied for lane in copy.lanes)


@pytest.fixture
async def stack(shared: Stack) -> Stack:
    """Give the shared stack, well again whatever the test before did to it."""
    await shared.start_all()
    await shared.wait_ready(health="training.freshness", within=60)
    return shared


def test_every_section_of_the_guide_is_followed() -> None:
    assert tuple(sections()) == tuple(sorted({*SECTIONS, *OF_DATABASES}, key=list(sections()).index))
    assert len(sections()) == len(SECTIONS) + len(OF_DATABASES)


async def test_where_to_look(stack: Stack) -> None:
    await Operator(stack).follow("Where to look", {})


async def test_every_metric_that_the_guide_names_is_told_by_a_service(stack: Stack) -> None:
    named = set(re.findall(r"`(training_[a-z_]+)`", (ROOT / PAGE).read_text("utf-8")))
    told: set[str] = set()
    for service in ("program", "offer", "catalogue"):
        told |= set(re.findall(r"^(\w+)[{ ]", await _metrics(stack, service), re.MULTILINE))
    assert len(named) == 9
    assert named <= told


async def _metrics(stack: Stack, service: str) -> str:
    """Return a service's metrics as a monitor reads them."""
    host, _, port = stack.metrics_address(service).rpartition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"GET /metrics HTTP/1.0\r\n\r\n")
    async with asyncio.timeout(10):
        page = await reader.read()
    writer.close()
    await writer.wait_closed()
    return page.decode()


async def test_the_broker_is_lost(stack: Stack) -> None:
    async def lose() -> None:
        await stack.kill("nats")
        await mishaps.import_program(stack, "c001")

    await Operator(stack).follow(
        "The broker is lost",
        {
            "the broker is lost, and a program is imported": lose,
            "the broker comes back": lambda: stack.start("nats"),
        },
    )


async def test_the_brokers_store_was_wiped(stack: Stack) -> None:
    await Operator(stack).follow(
        "The broker's store was wiped",
        {
            "the broker is started again with an empty store": lambda: mishaps.wipe_broker(stack),
            "a program is imported": lambda: mishaps.import_program(stack, "c002"),
        },
    )


async def test_the_brokers_store_was_rolled_back(stack: Stack) -> None:
    async def roll_back() -> None:
        await mishaps.roll_broker_back(stack, lambda: mishaps.import_program(stack, "c003"))

    await Operator(stack).follow(
        "The broker's store was rolled back",
        {
            "the broker's store is copied, a program is imported, and the copy is put back": roll_back,
            "another program is imported": lambda: mishaps.import_program(stack, "c004"),
        },
    )


async def test_a_projector_lags(stack: Stack) -> None:
    async with mishaps.connected(stack.dsn("catalogue")) as somebody:

        async def lock() -> None:
            await somebody.execute("BEGIN")
            await somebody.execute(f"LOCK TABLE {await mishaps.generation_of(stack)}.checkpoint IN EXCLUSIVE MODE")
            await mishaps.import_program(stack, "c005")

        await Operator(stack).follow(
            "A projector lags", {"somebody locks the catalogue's checkpoints, and a program is imported": lock}
        )


async def test_a_poison_event(stack: Stack) -> None:
    schema, tokens = await mishaps.generation_of(stack), list[str]()

    async def break_it() -> None:
        async with mishaps.connected(stack.dsn("catalogue")) as database:
            await database.execute(f"SET search_path = {schema}")
            await database.execute(_DEFECT)
            await database.execute(
                "CREATE TRIGGER defect BEFORE INSERT ON program FOR EACH ROW"
                f" WHEN (NEW.program_id = '{mishaps.id_of('c006')}') EXECUTE FUNCTION defect()"
            )
        tokens.append(await mishaps.import_program(stack, "c006"))

    async def ask() -> None:
        assert await readers.told_of(stack, "c006", tokens[0]) == "EVENT_PARKED"
        assert await readers.parked_ids(stack, tokens[0]) == [mishaps.id_of("c006")]

    async def mend_it() -> None:
        async with mishaps.connected(stack.dsn("catalogue")) as database:
            await database.execute(f"DROP FUNCTION {schema}.defect CASCADE")

    async def damage_and_change() -> None:
        await mishaps.damaged(stack, "offer", "b002", mishaps.change_offer(stack, 13))
        await mishaps.change_offer(stack, 14)

    async def damage() -> None:
        await mishaps.damaged(stack, "program", "c007", mishaps.import_program(stack, "c007"))

    await Operator(stack).follow(
        "A poison event",
        {
            "the catalogue gets a defect that a program meets": break_it,
            "readers ask for it": ask,
            "the mended catalogue is deployed": mend_it,
            "an event of an offer is damaged on its way, and later the offer changes again": damage_and_change,
            "another event is damaged on its way": damage,
        },
    )


async def test_the_read_store_was_dropped(stack: Stack) -> None:
    async def drop() -> None:
        async with mishaps.connected(stack.dsn("catalogue")) as database:
            names = await database.fetch("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'read_model_%'")
            assert names
            await database.execute(f"DROP SCHEMA {', '.join(row['nspname'] for row in names)} CASCADE")
        assert {reason async for reason in readers.refusals(stack, "b001")} == {"CATALOGUE_BUILDING"}

    await Operator(stack).follow(
        "The read store was dropped",
        {"somebody drops all schemas of the read store, and a reader keeps asking": drop},
    )


async def test_a_copy_is_suspected_to_be_wrong(stack: Stack) -> None:
    async def alter() -> None:
        async with mishaps.connected(stack.dsn("catalogue")) as database:
            await database.execute(f"SET search_path = {await mishaps.generation_of(stack)}")
            await database.execute("UPDATE program SET level = level + 1 WHERE program_id = $1", UUID(mishaps.PROGRAM))
            await database.execute("DELETE FROM offer WHERE offer_id = $1", UUID(mishaps.OFFER))

    await Operator(stack).follow(
        "A copy is suspected to be wrong",
        {"somebody changes a row of the catalogue, and deletes another": alter},
    )


async def test_a_disk_is_full(stack: Stack) -> None:
    async with small_disk(stack, "catalogue") as readers_disk, small_disk(stack, "program") as programs_disk:
        await stack.wait_ready(health="training.freshness", within=60)

        async def fill() -> None:
            await readers_disk.fill()
            for number in range(0xF100, 0xF180):  # what space the tables have left for themselves is used up
                await mishaps.import_program(stack, f"{number:x}")
            await mishaps.import_program(stack, "f001")

        async def refuse_one() -> None:
            await programs_disk.fill()
            await mishaps.create_until_refused(stack, then=programs_disk.empty)

        await Operator(stack).follow(
            "A disk is full",
            {
                "the disk under the catalogue's database fills up, and a program is imported": fill,
                "space is made": readers_disk.empty,
                "the disk under the program service's database fills up, programs are created until one is refused, "
                "space is made, and that one is sent again": refuse_one,
            },
        )


async def test_a_projector_has_stopped(stack: Stack) -> None:
    # The last one: what was forged stays in the stream.
    await Operator(stack).follow(
        "A projector has stopped",
        {
            "the catalogue's process dies": lambda: stack.kill("catalogue"),
            "it is started again": lambda: stack.start("catalogue"),
            "somebody publishes an event of their own, as if the program service had": lambda: mishaps.forge(stack),
        },
    )
