"""What a list of programs is to show, from its request."""

from training.program.v1.program_service_pb2 import ListProgramsRequest

from chassis.refusal import Violation
from program_svc.adapters.mapping_values import read_time, refuse
from program_svc.application.views import ProgramFilter
from program_svc.domain.content_rules import check_texts
from program_svc.domain.program import State


def program_filter(request: ListProgramsRequest) -> ProgramFilter:
    """Read the filters; raises InvalidField."""
    names = ("author", "reviewer", "category", "text")
    check_texts(*((name, getattr(request, name)) for name in names))
    faults: list[Violation] = []
    within = request.update_interval
    start = (
        read_time(within.start_time, "update_interval.start_time", faults) if within.HasField("start_time") else None
    )
    end = read_time(within.end_time, "update_interval.end_time", faults) if within.HasField("end_time") else None
    if start is not None and end is not None and end < start:
        found = f"{start.isoformat()} to {end.isoformat()}"
        faults.append(Violation("update_interval", "interval.reversed", found, "an end that is not before the start"))
    refuse(faults)
    return ProgramFilter(
        states=tuple(map(State, request.states)),
        author=request.author,
        reviewer=request.reviewer,
        category=request.category,
        text=request.text,
        updated_from=start,
        updated_until=end,
        awaiting_assignment=request.awaiting_assignment,
    )
