"""Asking all services what they know of an id, which may be an aggregate's or a request's."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from training.ops.v1.operations_service_pb2 import ExplainRequest, ExplainResponse

from trainingctl.calling import Service
from trainingctl.problem import CallFailed, Problem
from trainingctl.records import record
from trainingctl.way import Aggregate, aggregates


@dataclass(frozen=True, slots=True)
class Explanation:
    """What all services told together, and who did not answer."""

    aggregates: list[Aggregate]
    responses: list[ExplainResponse]
    problems: list[Problem]

    def record(self) -> dict[str, object]:
        """Return it as a JSON object."""
        return {
            "aggregates": [
                {
                    "source": whole.source,
                    "aggregate_id": whole.aggregate_id,
                    "everywhere": whole.everywhere,
                    "events": [
                        {
                            **record(event.recorded),
                            "everywhere": event.everywhere,
                            "copies": {each.service: each.arrival.value for each in event.arrived},
                        }
                        for event in whole.events
                    ],
                    "copies": {copy.service: record(copy.state) for copy in whole.copies},
                }
                for whole in self.aggregates
            ],
            "problems": [problem.record() for problem in self.problems],
        }


async def explain(services: Sequence[Service], wanted: str, limit: int, seconds: float) -> Explanation:
    """Ask everybody about the id as both kinds; then the copies about the aggregates that a request changed."""
    both = [ExplainRequest(aggregate_id=wanted, limit=limit), ExplainRequest(request_id=wanted, limit=limit)]
    responses, problems = await _ask(services, both, seconds)
    changed = {
        recorded.aggregate_id: recorded.aggregate_id
        for response in responses
        for recorded in response.recorded
        if recorded.aggregate_id != wanted
    }
    if changed:
        failed = {problem.service for problem in problems}
        others = [service for service in services if service.name not in failed]
        found, more = await _ask(others, [ExplainRequest(aggregate_id=each, limit=1) for each in changed], seconds)
        for response in found:
            del response.recorded[:]  # only what the request did is asked for; of the copies, everything
        responses, problems = [*responses, *found], [*problems, *more]
    return Explanation(aggregates(responses), responses, problems)


async def _ask(
    services: Sequence[Service], requests: Sequence[ExplainRequest], seconds: float
) -> tuple[list[ExplainResponse], list[Problem]]:
    """Ask each service each question, all at once; of a service that fails, one problem."""
    told = await asyncio.gather(*(_answers(service, requests, seconds) for service in services))
    responses = [each for answers in told for each in answers if isinstance(each, ExplainResponse)]
    problems = {each.service: each for answers in told for each in answers if isinstance(each, Problem)}
    return responses, list(problems.values())


async def _answers(
    service: Service, requests: Sequence[ExplainRequest], seconds: float
) -> list[ExplainResponse | Problem]:
    async def one(request: ExplainRequest) -> ExplainResponse | Problem | None:
        try:
            async with service.operations() as operations:
                return await operations.Explain(request, timeout=seconds, metadata=service.metadata)
        except CallFailed as failed:
            return None if failed.problem.knows_nothing else failed.problem

    return [each for each in await asyncio.gather(*map(one, requests)) if each is not None]
