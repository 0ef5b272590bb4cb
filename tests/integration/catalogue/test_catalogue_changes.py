"""The change feed remembers for a while, and no more than so many changes."""

from training.catalogue.v1 import catalogue_service_pb2 as pb

from catalogue_svc.store import changes
from tests.integration.catalogue.asking import at
from tests.integration.catalogue.conftest import Running, Sources
from tests.integration.catalogue.samples import program, released


async def positions(running: Running) -> list[int]:
    """Return the positions of the changes that are remembered."""
    rows = await running.catalogue.connections.fetch("SELECT position FROM change ORDER BY position")
    return [row["position"] for row in rows]


async def test_old_changes_go_and_the_newest_stay(catalogue: Running, sources: Sources) -> None:
    token = await sources.program.publish([released(program()) for _ in range(9)])
    await catalogue.stub.ListPrograms(pb.ListProgramsRequest(consistency=at(token)))
    connections = catalogue.catalogue.connections
    assert await positions(catalogue) == list(range(1, 10))
    await changes.trim(connections)
    assert await positions(catalogue) == list(range(1, 10))
    await connections.execute("UPDATE change SET recorded_at = recorded_at - interval '2 hours' WHERE position <= 5")
    await changes.trim(connections, hours=3.0)
    assert await positions(catalogue) == list(range(1, 10))
    await changes.trim(connections, hours=1.0, at_once=2)
    assert await positions(catalogue) == [6, 7, 8, 9]
    await changes.trim(connections, kept=2, at_once=1)
    assert await positions(catalogue) == [8, 9]
