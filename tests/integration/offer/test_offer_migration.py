"""Offers of earlier tables say what was published of them last, as if they had always remembered."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import create_async_engine

from chassis.postgres import Connection as Connected
from offer_svc.adapters.encoding import OfferEncoding
from offer_svc.adapters.mapping import to_message
from offer_svc.adapters.published import PublishedOffers
from offer_svc.domain.commands import Command, PublishOffer, SetPriceList
from offer_svc.domain.pricing import PriceList
from tests.unit.offer.lives import CODED
from tests.unit.offer.sale import HOUR, Sale, draft
from tests.unit.offer.samples import OFFER, PRICES

PRIVATE = SetPriceList(OFFER, PriceList((*PRICES.tiers, CODED)))


def go(real: Connection, revision: str) -> None:
    """Bring the tables to a revision."""
    config = Config()
    config.set_main_option("script_location", "offer_svc:migrations")
    config.attributes["connection"] = real
    command.upgrade(config, revision)


def carried_out(sale: Sale, *commands: Command) -> list[bytes]:
    """Carry commands out an hour apart; return what each publishes."""
    public = []
    for each in commands:
        before = sale.state
        sale.now += HOUR
        changes = sale.do(each)
        public.append(OfferEncoding().revision(before, sale.offer, changes, each, "olga").public)
    return public


def forgetful(sale: Sale) -> bytes:
    """Return the state as it was stored before."""
    message = to_message(sale.offer)
    message.ClearField("public_revision")
    message.ClearField("public_time")
    return message.SerializeToString()


async def test_offers_remember_what_was_published_last(database: Callable[[], Awaitable[str]]) -> None:
    dsn = await database()
    engine = create_async_engine(dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
    shown, unseen = draft(), draft()
    public = [b""] * shown.offer.revision + carried_out(shown, PublishOffer(OFFER), PRIVATE)
    shown_id, unseen_id = uuid4(), uuid4()
    async with engine.begin() as connection:
        await connection.run_sync(go, "0003")
    old = await asyncpg.connect(dsn)
    for offer_id, sale, bodies in ((shown_id, shown, public), (unseen_id, unseen, [b""])):
        await add(old, offer_id, sale, bodies)
    async with engine.begin() as connection:
        await connection.run_sync(go, "head")
    rows = {row["offer_id"]: row for row in await old.fetch("SELECT * FROM offer")}
    events = await old.fetch("SELECT revision, event_id, public FROM journal WHERE public <> ''")
    await old.close()
    await engine.dispose()
    assert len(events) == 1
    row = rows[shown_id]
    assert (row["public_revision"], row["public_event_id"]) == (events[0]["revision"], events[0]["event_id"])
    assert row["revision"] == row["public_revision"] + 1
    assert events[0]["public"].endswith(PublishedOffers().body_of(row["state"], row["public_revision"]))
    assert OfferEncoding().decode(row["state"]) == shown.offer
    assert (rows[unseen_id]["public_revision"], rows[unseen_id]["public_event_id"]) == (None, None)
    assert OfferEncoding().decode(rows[unseen_id]["state"]) == unseen.offer


async def add(connection: Connected, offer_id: UUID, sale: Sale, bodies: list[bytes]) -> None:
    """Store an offer and its events as they were stored."""
    await connection.execute(
        "INSERT INTO offer (offer_id, revision, status, program_id, updated_at, trainers, state) "
        "VALUES ($1, $2, $3, $4, $5, '{}', $6)",
        offer_id,
        sale.offer.revision,
        int(sale.offer.state),
        uuid4(),
        datetime.now(UTC),
        forgetful(sale),
    )
    lane = 3 if any(bodies) else 4
    for seq, body in enumerate(bodies, 1):
        await connection.execute(
            "INSERT INTO journal (lane, seq, epoch, event_id, aggregate_id, revision, type, principal, traceparent, "
            "public, private) VALUES ($1, $2, $3, $4, $5, $2, 'a', 'b', 'c', $6, '')",
            lane,
            seq,
            uuid4(),
            uuid4(),
            offer_id,
            body,
        )
