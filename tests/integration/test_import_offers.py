"""The sample catalogue on its way through all three services."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import grpc.aio
import pytest
from training.offer.v1.offer_pb2 import PriceList
from training.offer.v1.offer_service_pb2 import SetPriceListRequest
from training.offer.v1.offer_service_pb2_grpc import OfferServiceStub

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from tests.integration.import_line import ImportLine, running


@pytest.fixture(scope="module")
async def line(postgres: EmbeddedPostgres, nats: EmbeddedNats, servers_folder: Path) -> AsyncIterator[ImportLine]:
    async with running(("program", "offer", "catalogue"), postgres, nats, servers_folder) as line:
        yield line


async def reprice(line: ImportLine, offer_id: str) -> None:
    """Change an offer of the sample as a training manager would."""
    request = SetPriceListRequest(offer_id=offer_id, price_list=PriceList())
    tier = request.price_list.tiers.add(name="Standard")
    tier.price.currency_code, tier.price.units = "EUR", 1
    async with grpc.aio.insecure_channel(line.address("offer")) as channel:
        await OfferServiceStub(channel).SetPriceList(request)


async def test_offers_can_be_imported_right_after_their_programs(line: ImportLine, tmp_path: Path) -> None:
    saved = await line.run("demo", "--save", str(tmp_path))
    token, report = tmp_path / "token", tmp_path / "report.jsonl"
    programs, offers = tmp_path / "programs.jsonl", tmp_path / "offers.jsonl"
    first = await line.run("import", "programs", str(programs), "--token-file", str(token), "--json")
    arguments = ("import", "offers", str(offers), "--token-file", str(token), "--report", str(report), "--json")
    second, again = await line.run(*arguments), await line.run(*arguments)
    assert (saved.code, first.code, second.code, again.code) == (0, 0, 0, 0), second.errors
    assert first.summary["imported"] >= 24
    assert second.summary["imported"] >= 60
    assert again.summary["unchanged"] == second.summary["imported"]
    assert report.read_text() == ""


async def test_an_offer_without_its_program_is_refused_by_name(line: ImportLine, tmp_path: Path) -> None:
    await line.run("demo", "--save", str(tmp_path))
    row = json.loads((tmp_path / "offers.jsonl").read_text().splitlines()[0])
    row["definition"]["program_id"] = row["offer_id"] = "019a0000-0000-7000-8000-000000000001"
    file, report = tmp_path / "row.jsonl", tmp_path / "report.jsonl"
    file.write_text(json.dumps(row))
    done = await line.run("import", "offers", str(file), "--report", str(report))
    (refused,) = map(json.loads, report.read_text().splitlines())
    assert done.code == 1
    assert refused["reason"] == "PROGRAM_NOT_RELEASED"


async def test_the_demo_can_be_repeated_and_leaves_alone_what_was_changed_since(
    line: ImportLine, tmp_path: Path
) -> None:
    await line.run("demo", "--save", str(tmp_path))
    shown = await line.run("demo")
    again = await line.run("demo")
    row = json.loads((tmp_path / "offers.jsonl").read_text().splitlines()[0])
    await reprice(line, row["offer_id"])
    changed = await line.run("demo")
    assert (shown.code, again.code, changed.code) == (0, 0, 0), changed.output
    assert "0 loaded" in again.output
    assert "1 left as you have them" in changed.output
    assert shown.output.count("grpcurl -plaintext") == 3
    assert "Python Foundations" in shown.output


async def test_status_shows_every_source_of_every_service(line: ImportLine) -> None:
    shown = await line.run("status", "--lanes")
    told = (await line.run("status", "--json")).summary
    assert shown.code == 0, shown.output
    for part in ("program journal", "offer journal", "program copy", "offer copy", "everything is fresh"):
        assert part in shown.output
    assert told["fresh"]
    assert [each["service"] for each in told["services"]] == ["program", "offer", "catalogue"]


async def test_status_tells_which_service_does_not_answer(line: ImportLine) -> None:
    shown = await line.run("status", "--catalogue-address", "127.0.0.1:1", "--timeout", "2")
    assert shown.code == 3
    assert "catalogue at 127.0.0.1:1 does not answer" in shown.output
    assert "program journal" in shown.output
