"""What metrics leave out because it is not known."""

from prometheus_client import CollectorRegistry, generate_latest
from training.ops.v1.operations_service_pb2 import GetStatusResponse

from bus.operations.status_metrics import StatusMetrics

_ANNOUNCED = {"training_copy_announced", "training_copy_lag_events", "training_copy_oldest_unapplied_seconds"}


async def told_of(status: GetStatusResponse) -> set[str]:
    """Return the names of the figures that are told of a copy's lanes."""

    async def read() -> GetStatusResponse:
        return status

    metrics, registry = StatusMetrics(read), CollectorRegistry()
    await metrics.read()
    registry.register(metrics)
    lines = generate_latest(registry).decode().splitlines()
    return {line.partition("{")[0] for line in lines if "lane=" in line}


async def test_what_a_copy_lacks_is_not_told_until_its_source_was_heard_of() -> None:
    status = GetStatusResponse(instance="one")
    copy = status.subscriptions.add(source="thing")
    copy.lanes.add(lane=0, applied=5)
    copy.as_of.FromSeconds(1_000_000)
    assert await told_of(status) == {"training_copy_applied", "training_copy_parked_events"}
    copy.lag.FromSeconds(1)
    assert await told_of(status) >= _ANNOUNCED


async def test_a_copy_so_far_behind_that_its_age_is_unknown_tells_what_it_lacks() -> None:
    status = GetStatusResponse(instance="one")
    status.subscriptions.add(source="thing").lanes.add(lane=0, applied=5, committed=900, lag_events=895)
    assert await told_of(status) >= _ANNOUNCED
