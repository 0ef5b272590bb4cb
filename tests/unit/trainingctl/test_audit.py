import json

from training.ops.v1 import operations_service_pb2 as pb

from tests.unit.trainingctl.prepared import platform

PROGRAM = "019a0000-0000-7000-8000-000000000001"


def difference(*, repaired: bool = False, kind: pb.AuditDifference.Kind.ValueType) -> pb.AuditDifference:
    return pb.AuditDifference(
        kind=kind,
        source="program",
        aggregate_id=PROGRAM,
        source_revision=4,
        lane=5,
        source_seq=40,
        applied_seq=41,
        repaired=repaired,
    )


def messages(*differences: pb.AuditDifference) -> list[pb.AuditCatalogueResponse]:
    return [
        pb.AuditCatalogueResponse(source="program", checked=1000, total=2000, differences=differences),
        pb.AuditCatalogueResponse(source="program", checked=2000, total=2000, complete=True),
        pb.AuditCatalogueResponse(source="offer", checked=10, total=10, complete=True),
    ]


async def test_without_a_difference_it_is_fine() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["AuditCatalogue"] = messages()
        done = await whole.run("audit")
        (request,) = whole.catalogue.asked("AuditCatalogue")
    assert (done.exit_code, done.stdout) == (0, "catalogue: compared 10 of offer, 2,000 of program\nno difference\n")
    assert request == pb.AuditCatalogueRequest()


async def test_every_difference_is_a_line_and_none_may_remain() -> None:
    where = f"program {PROGRAM} (lane 5: source at 40, copy at 41)"
    stale = difference(kind=pb.AuditDifference.KIND_STALE)
    stale.revision, stale.detail = 3, "old"
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["AuditCatalogue"] = messages(stale, difference(kind=pb.AuditDifference.KIND_MISSING))
        done = await whole.run("audit", "--source", "program", "--source", "offer")
        (request,) = whole.catalogue.asked("AuditCatalogue")
    assert done.exit_code == 1
    assert done.stdout.splitlines() == [
        f"stale: {where}: the source has revision 4, the copy revision 3; old",
        f"missing: {where}: the source has revision 4, the copy nothing",
        "catalogue: compared 10 of offer, 2,000 of program",
        "2 differences, 0 repaired, 2 remaining",
    ]
    assert request == pb.AuditCatalogueRequest(sources=["program", "offer"])


async def test_what_was_put_right_does_not_remain() -> None:
    async with platform("program", "catalogue") as whole:
        found = difference(kind=pb.AuditDifference.KIND_ALTERED, repaired=True)
        whole.offer.answers["AuditCatalogue"] = messages(found)
        done = await whole.run("audit", "--offer", "--repair")
        (request,) = whole.offer.asked("AuditCatalogue")
    assert done.exit_code == 0
    assert done.stdout.splitlines()[0].endswith("the copy nothing; repaired")
    assert done.stdout.splitlines()[-1] == "1 difference, 1 repaired, 0 remaining"
    assert request == pb.AuditCatalogueRequest(repair=True)


async def test_json_is_a_line_for_every_message_and_a_summary() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["AuditCatalogue"] = messages(difference(kind=pb.AuditDifference.KIND_EXTRA))
        done = await whole.run("audit", "--json")
    told = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 1
    assert told[0]["differences"][0]["kind"] == "KIND_EXTRA"
    assert told[-1]["summary"] == {
        "checked": {"program": 2000, "offer": 10},
        "differences": 1,
        "repaired": 0,
        "remaining": 1,
    }


async def test_an_audit_that_ended_early_is_not_taken_for_a_whole_one() -> None:
    async with platform("program", "offer") as whole:
        whole.catalogue.answers["AuditCatalogue"] = messages()[:1]
        done = await whole.run("audit")
    assert done.exit_code == 3
    assert "the service ended the call before it had compared all of program" in done.stderr


async def test_an_unknown_source_is_wrong_usage() -> None:
    async with platform("program", "offer", "catalogue") as whole:
        assert (await whole.run("audit", "--source", "prices")).exit_code == 2
