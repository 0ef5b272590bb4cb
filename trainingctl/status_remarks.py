"""What of a service's status fits into no table: epochs and generations, one sentence each."""

from collections.abc import Iterator
from typing import Final

from training.ops.v1.operations_service_pb2 import (
    GetStatusResponse,
    JournalStatus,
    ReadModelStatus,
    RebuildPhase,
    RebuildProgress,
    SubscriptionStatus,
)

from trainingctl.telling import length, moment

PHASES: Final = {
    RebuildPhase.REBUILD_PHASE_UNSPECIFIED: "waiting",
    RebuildPhase.REBUILD_PHASE_PREPARING: "preparing",
    RebuildPhase.REBUILD_PHASE_IMPORTING: "importing",
    RebuildPhase.REBUILD_PHASE_CATCHING_UP: "catching up",
    RebuildPhase.REBUILD_PHASE_VERIFYING: "verifying",
    RebuildPhase.REBUILD_PHASE_COMPLETE: "complete",
    RebuildPhase.REBUILD_PHASE_ABANDONED: "abandoned",
}


def remarks(status: GetStatusResponse) -> Iterator[str]:
    """Tell the epoch of a service's journal, those of its copies, and the generation of these."""
    if status.HasField("journal"):
        yield f"{status.service}: {_journal(status.journal)}"
    for copy in sorted(status.subscriptions, key=lambda each: each.source):
        yield from (f"{status.service}: {each}" for each in _copy(copy))
    if status.HasField("read_model"):
        yield from (f"{status.service}: {each}" for each in _read_model(status.read_model))


def progress(building: RebuildProgress) -> str:
    """Tell how the building of a generation gets on."""
    told = PHASES.get(building.phase, str(building.phase))
    if building.total:
        told += f", {building.done:,} of {building.total:,}"
    elif building.done:
        told += f", {building.done:,}"
    if building.rate:
        told += f", {building.rate:,.0f}/s"
    if building.HasField("time_left"):
        told += f", {length(building.time_left)} left"
    return told + (f" ({building.trouble})" if building.trouble else "")


def _journal(journal: JournalStatus) -> str:
    told = f"epoch {journal.epoch}"
    if journal.HasField("epoch_time"):
        told += f" since {moment(journal.epoch_time)}"
    return told + (f": {journal.epoch_cause}" if journal.epoch_cause else "")


def _copy(copy: SubscriptionStatus) -> Iterator[str]:
    if copy.epoch:
        yield f"follows {copy.source} in epoch {copy.epoch}"
    others: dict[str, list[int]] = {}
    for lane in copy.lanes:
        if lane.epoch and lane.epoch != copy.epoch:
            others.setdefault(lane.epoch, []).append(lane.lane)
    for epoch, lanes in others.items():
        yield f"lanes {', '.join(map(str, lanes))} of {copy.source} are in epoch {epoch}"


def _read_model(model: ReadModelStatus) -> Iterator[str]:
    if model.generation:
        told = f"{model.name} generation {model.generation}"
        if model.HasField("generation_time"):
            told += f" since {moment(model.generation_time)}"
        yield told + (f": {model.cause}" if model.cause else "")
    else:
        yield f"{model.name} has no generation that answers yet"
    if model.HasField("building"):
        building = model.building
        told = f"{model.name} generation {building.generation} is being built: {progress(building)}"
        yield told + (f"; why: {building.cause}" if building.cause else "")
