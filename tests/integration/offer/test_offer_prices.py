"""Prices asked for, promised, and kept."""

from datetime import UTC, datetime

import asyncpg
from google.type.money_pb2 import Money
from training.offer.v1 import offer_pb2 as pb
from training.offer.v1 import offer_service_pb2 as service

from tests.integration.offer.line import Line, price
from tests.integration.offer.selling import reserve, until
from tests.integration.refusals import refused

UNCHANGED, CHANGED = (
    service.ConfirmPriceResponse.OUTCOME_UNCHANGED,
    service.ConfirmPriceResponse.OUTCOME_CHANGED,
)


async def quote(line: Line, offer_id: str, seats: int = 1, code: str = "") -> service.QuotePriceResponse:
    """Ask what seats cost."""
    request = service.QuotePriceRequest(offer_id=offer_id, currency_code="EUR", seats=seats, code=code)
    response: service.QuotePriceResponse = await line.offers.QuotePrice(request)
    return response


async def confirm_price(line: Line, offer_id: str, token: str) -> service.ConfirmPriceResponse:
    """Ask whether a price still stands."""
    request = service.ConfirmPriceRequest(offer_id=offer_id, quote=token)
    response: service.ConfirmPriceResponse = await line.offers.ConfirmPrice(request)
    return response


async def test_a_quoted_price_is_honoured_though_the_list_has_changed(line: Line) -> None:
    offer = await line.published()
    quoted = (await quote(line, offer.offer_id, 2)).quote
    assert (quoted.price.unit_price.units, quoted.price.amount_due.units, quoted.seats) == (490, 980, 2)
    assert (await confirm_price(line, offer.offer_id, quoted.token)).outcome == UNCHANGED
    await line.offers.SetPriceList(price(offer.offer_id, 700))
    told = await confirm_price(line, offer.offer_id, quoted.token)
    assert (told.outcome, told.price.unit_price.units) == (CHANGED, 700)
    held = await reserve(line, offer.offer_id, seats=2, quote=quoted.token, currency_code="")
    assert held.price == quoted.price
    assert (await reserve(line, offer.offer_id)).price.unit_price.units == 700


async def test_a_quote_is_for_its_offer_and_its_seats_and_can_not_be_made_by_hand(line: Line) -> None:
    offer, other = await line.published(), await line.published()
    token = (await quote(line, offer.offer_id)).quote.token
    for offer_id, seats, given in (
        (other.offer_id, 1, token),
        (offer.offer_id, 2, token),
        (offer.offer_id, 1, token[:-4] + "AAAA"),
        (offer.offer_id, 1, "nonsense"),
        (offer.offer_id, 1, "ключ"),
    ):
        found = await refused(reserve(line, offer_id, seats=seats, quote=given))
        assert found.reason == "QUOTE_INVALID", given


async def test_a_quote_expires(brisk: Line) -> None:
    offer = await brisk.published()
    quoted = (await quote(brisk, offer.offer_id)).quote

    async def is_over() -> bool:
        return datetime.now(UTC) > quoted.expire_time.ToDatetime(tzinfo=UTC)

    await until(is_over)
    assert (await refused(reserve(brisk, offer.offer_id, quote=quoted.token))).reason == "QUOTE_EXPIRED"
    assert (await confirm_price(brisk, offer.offer_id, quoted.token)).outcome == UNCHANGED


async def test_a_quote_survives_a_restart_because_its_key_is_in_the_database(line: Line) -> None:
    connection = await asyncpg.connect(line.dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM quote_key WHERE length(secret) = 32") == 1
    finally:
        await connection.close()


async def test_a_tier_with_a_limit_sells_so_many_and_a_code_opens_a_tier(line: Line) -> None:
    offer = await line.published()
    tiers = [
        pb.PriceTier(name="Early", price=Money(currency_code="EUR", units=300), quantity_limit=2),
        pb.PriceTier(name="Friends", price=Money(currency_code="EUR", units=100), code="hush"),
        pb.PriceTier(name="Late", price=Money(currency_code="EUR", units=500)),
    ]
    request = service.SetPriceListRequest(offer_id=offer.offer_id, price_list=pb.PriceList(tiers=tiers))
    await line.offers.SetPriceList(request)
    assert [(await reserve(line, offer.offer_id)).price.tier for _ in range(3)] == ["Early", "Early", "Late"]
    assert (await reserve(line, offer.offer_id, code="hush")).price.tier == "Friends"
    assert (await refused(reserve(line, offer.offer_id, currency_code="CHF"))).reason == "NO_PRICE"
    sold = {each.tier: each.seats for each in (await line.get(offer.offer_id)).seats.sold_per_tier}
    assert sold == {"Early": 2, "Late": 1, "Friends": 1}
