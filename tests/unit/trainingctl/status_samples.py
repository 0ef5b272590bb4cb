"""Prepared statuses, all of them well."""

from training.ops.v1.operations_service_pb2 import GetStatusResponse

PROGRAM_EPOCH = "019a0000-0000-7000-8000-0000000000e1"


def program() -> GetStatusResponse:
    told = GetStatusResponse(service="program", instance="program-1")
    told.time.FromSeconds(1_000_000)
    told.journal.source, told.journal.relay_leader = "program", "program-1"
    told.journal.epoch, told.journal.epoch_cause = PROGRAM_EPOCH, "first"
    told.journal.epoch_time.FromSeconds(900_000)
    told.journal.lanes.add(lane=0, committed=1234, published=1234)
    return told


def offer() -> GetStatusResponse:
    told = GetStatusResponse(service="offer", instance="offer-1")
    told.time.FromSeconds(1_000_000)
    told.journal.source, told.journal.relay_leader = "offer", "offer-1"
    told.journal.lanes.add(lane=0, committed=10, published=10)
    return told


def catalogue() -> GetStatusResponse:
    told = GetStatusResponse(service="catalogue", instance="catalogue-1")
    told.time.FromSeconds(1_000_000)
    copy = told.subscriptions.add(source="program", projector_leader="catalogue-1", epoch=PROGRAM_EPOCH)
    copy.as_of.FromSeconds(999_999)
    copy.lag.FromMilliseconds(500)
    copy.lanes.add(lane=0, committed=1234, published=1234, applied=1234, epoch=PROGRAM_EPOCH)
    told.read_model.name, told.read_model.generation, told.read_model.cause = "read_model_2", 3, "asked for by ops"
    told.read_model.generation_time.FromSeconds(950_000)
    return told
