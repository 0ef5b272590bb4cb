"""The offer service's copy of programs is compared with the program service: what is not true of it is put right."""

import asyncpg
from training.offer.v1 import offer_service_pb2 as service
from training.ops.v1.operations_service_pb2 import AuditCatalogueRequest, AuditDifference

from tests.integration.offer.line import Line, create, online
from tests.integration.refusals import refused

STATE_OF = "UPDATE program_replica_1.released_program SET state = 6 WHERE program_id = $1"
GONE = "DELETE FROM program_replica_1.released_program WHERE program_id = $1"


async def audit(line: Line, *, repair: bool = False) -> dict[str, tuple[str, bool]]:
    """Audit the replica; return what was found of which program, and whether it was put right."""
    request = AuditCatalogueRequest(sources=["program"], repair=repair)
    return {
        each.aggregate_id: (AuditDifference.Kind.Name(each.kind), each.repaired)
        async for step in line.operations.AuditCatalogue(request)
        for each in step.differences
    }


async def test_a_program_that_the_replica_lost_or_shows_otherwise_is_named_and_put_right(line: Line) -> None:
    """Its offers can be created and published again."""
    altered, lost = await line.draft(online(), priced=True), await line.draft()
    connection = await asyncpg.connect(line.dsn)
    try:
        assert await connection.execute(STATE_OF, altered.program_id) == "UPDATE 1"
        assert await connection.execute(GONE, lost.program_id) == "DELETE 1"
    finally:
        await connection.close()
    publish = service.PublishOfferRequest(offer_id=altered.offer_id)
    assert (await refused(line.offers.PublishOffer(publish))).reason == "PROGRAM_RETIRED"
    assert (await refused(line.offers.CreateOffer(create(lost.program_id)))).reason == "PROGRAM_NOT_RELEASED"

    expected = {altered.program_id: "KIND_ALTERED", lost.program_id: "KIND_MISSING"}
    assert await audit(line) == {key: (kind, False) for key, kind in expected.items()}
    assert await audit(line, repair=True) == {key: (kind, True) for key, kind in expected.items()}
    assert await audit(line) == {}
    await line.offers.PublishOffer(publish)
    await line.offers.CreateOffer(create(lost.program_id))
