"""The real services for imports, and `trainingctl` as a process of its own."""

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from chassis.embedded import EmbeddedNats, EmbeddedPostgres
from chassis.stack.service_server import ServiceServer
from chassis.stack.services import SERVICES, Listening, addresses

_PATH = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command said, and how it ended."""

    code: int
    output: str
    errors: str

    @property
    def summary(self) -> dict[str, Any]:
        """The JSON object that the command printed."""
        found: dict[str, Any] = json.loads(self.output)
        return found


class ImportLine:
    """Running services by name, and the command line pointed at them."""

    def __init__(self, services: Mapping[str, ServiceServer]) -> None:
        self.services = services
        told = {service.service.variable("GRPC_ADDRESS"): str(service.listening.grpc) for service in services.values()}
        self.environment = {**os.environ, "PYTHONPATH": _PATH, **told}

    def address(self, service: str) -> str:
        """Return where a service listens."""
        return str(self.services[service].listening.grpc)

    async def start(self, *arguments: str, stdin: int = asyncio.subprocess.DEVNULL) -> asyncio.subprocess.Process:
        """Start `trainingctl`."""
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "trainingctl",
            *arguments,
            stdin=stdin,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self.environment,
        )

    async def run(self, *arguments: str, given: bytes | None = None) -> Finished:
        """Run `trainingctl` to its end."""
        process = await self.start(*arguments, stdin=asyncio.subprocess.PIPE)
        output, errors = await process.communicate(given)
        assert process.returncode is not None
        return Finished(process.returncode, output.decode(), errors.decode())


@contextlib.asynccontextmanager
async def running(
    names: tuple[str, ...], postgres: EmbeddedPostgres, nats: EmbeddedNats, folder: Path
) -> AsyncIterator[ImportLine]:
    """Run these services on databases and a bus of their own."""
    prefix = f"t{uuid4().hex[:12]}"
    listening = {service.name: Listening.anywhere() for service in SERVICES}
    async with contextlib.AsyncExitStack() as stack:
        servers: dict[str, ServiceServer] = {}
        for service in SERVICES:
            if service.name not in names:
                continue
            dsn = await postgres.create_database(f"import_{service.name}_{prefix}")
            variables = {
                **addresses(service, listening),
                service.variable("DATABASE_URL"): dsn,
                "NATS_URL": nats.url,
                "TRAINING_BUS_PREFIX": prefix,
            }
            folder_of_its_own = folder / f"{prefix}-{service.name}"
            server = ServiceServer(service, folder_of_its_own, listening[service.name], variables.copy)
            servers[service.name] = await stack.enter_async_context(server)
        yield ImportLine(servers)
