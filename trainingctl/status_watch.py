"""The status of all services, kept up to date: one stream for each, opened again whenever it ends."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from training.ops.v1.operations_service_pb2 import WatchStatusRequest
from training.ops.v1.operations_service_pb2_grpc import OperationsServiceStub

from trainingctl.calling import Service
from trainingctl.channel import connect
from trainingctl.problem import problem_of
from trainingctl.status_table import Answer
from trainingctl.telling import length

_PAUSE: Final = 0.5
"""Seconds until the next try after a stream ended."""


class Watch:
    """The latest status of each service; a service that falls silent is not taken for one that is well."""

    def __init__(self, services: Sequence[Service], interval: float, patience: float) -> None:
        """Remember whom to watch; seconds between two statuses, and until a silence counts as one."""
        self._services = tuple(services)
        self._interval = interval
        self._patience = interval + patience
        self._answers: dict[str, Answer] = {}
        self._heard: dict[str, float] = {}

    async def run(self, told: Callable[[Answer], None]) -> None:
        """Watch until cancelled; `told` gets every answer as it comes."""
        begun = time.monotonic()
        self._heard = {service.name: begun for service in self._services}
        tasks = [asyncio.create_task(self._keep(service, told), name=service.name) for service in self._services]
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    def answers(self) -> list[Answer]:
        """Return what is known of every service now."""
        return [self._answer(service) for service in self._services]

    def _answer(self, service: Service) -> Answer:
        known = self._answers.get(service.name)
        silent = time.monotonic() - self._heard[service.name]
        if known is not None and (known.problem is not None or silent < self._patience):
            return known
        said = f"has said nothing for {length_of(silent)}" if silent >= self._patience else ""
        return Answer(service.name, service.address, None if known is None else known.status, silence=said)

    async def _keep(self, service: Service, told: Callable[[Answer], None]) -> None:
        interval = Duration()
        interval.FromNanoseconds(round(self._interval * 1e9))
        request = WatchStatusRequest(interval=interval)
        async with connect(service.address) as channel:
            while True:
                try:
                    stream = OperationsServiceStub(channel).WatchStatus(request, metadata=service.metadata)
                    async for message in stream:
                        self._heard[service.name] = time.monotonic()
                        self._hear(Answer(service.name, service.address, message.status), told)
                except grpc.aio.AioRpcError as error:
                    problem = problem_of(service.name, service.address, error)
                    self._hear(Answer(service.name, service.address, problem=problem), told)
                await asyncio.sleep(_PAUSE)

    def _hear(self, answer: Answer, told: Callable[[Answer], None]) -> None:
        self._answers[answer.service] = answer
        told(answer)


def length_of(seconds: float) -> str:
    """Return how long a silence has lasted."""
    duration = Duration()
    duration.FromMilliseconds(round(seconds * 1000))
    return length(duration)
