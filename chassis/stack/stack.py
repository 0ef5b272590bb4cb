"""The whole platform as child processes: PostgreSQL, NATS and the services, each of which can be hurt and healed."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from chassis.embedded import EmbeddedNats, EmbeddedPostgres, temporary_data_folder
from chassis.embedded.server import EmbeddedServer
from chassis.stack.databases import Databases
from chassis.stack.readiness import is_serving
from chassis.stack.service_server import ServiceServer
from chassis.stack.services import SERVICES, Listening, Service, addresses

POSTGRES = "postgres"
NATS = "nats"


class Stack:
    """PostgreSQL, NATS and the services, with all their files in one folder.

    For a test or a fault run, on free ports, in a folder that is removed at the end, without syncing to disk::

        async with Stack.temporary() as stack:
            channel = grpc.aio.insecure_channel(stack.address("program"))
            await stack.kill("program")              # SIGKILL; returns when the process is gone
            await stack.start("program")             # returns when its health says SERVING
            stack.suspend("nats")                    # SIGSTOP, all its processes; `resume` is SIGCONT
            stack.resume("nats")
            await stack.wait_ready(health="training.freshness")

    Processes are named `postgres`, `nats` and as the services are: `program`, `offer`, `catalogue`. Addresses, ports,
    passwords and data stay the same through `kill`, `stop` and `start`. Nothing is restarted by itself: a process that
    a test kills stays dead until `start` (`chassis.stack.supervision` is what `make run` adds).

    - To change: `start` (returns once it answers), `stop` (in order: drained, or a checkpoint made), `kill` (SIGKILL to
      every process of it at once), `restart`, `suspend`, `resume`, `close` (all, services first), `kill_all`.
      One task at a time may change one process; different processes can be changed side by side.
    - To ask: `running`, `serving`, `wait_ready`, `ended`, `exit_status`, `pid`, `processes`, `log`.
    - To reach: `address`, `metrics_address`, `dsn` (as the service's own role, which owns its database), `nats_url`;
      `postgres` and `nats` are the servers themselves (`stack.postgres.dsn("program")` is the superuser's).

    `start` raises `chassis.embedded.EmbeddedError`, with the end of the log where a process gave up. `services` says
    which to run, `listening` where (absent: on free ports), `settings` are environment variables for all services.
    All children die with the process that started them, also when that is killed.
    """

    def __init__(
        self,
        folder: Path,
        *,
        durable: bool = True,
        services: Sequence[Service] = SERVICES,
        listening: Mapping[str, Listening] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """Remember what to run; nothing is touched before `start_all`."""
        self.folder = folder.absolute()
        self.services = tuple(services)
        self.postgres = EmbeddedPostgres(self.folder / POSTGRES, durable=durable)
        self.nats = EmbeddedNats(self.folder / NATS, durable=durable)
        self._databases = Databases(self.postgres, self.folder / "passwords")
        self._listening = {**{service.name: Listening.anywhere() for service in SERVICES}, **(listening or {})}
        self._settings = dict(settings or {})
        self._services = {service.name: self._server(service) for service in self.services}
        self._suspended: set[str] = set()

    @classmethod
    @asynccontextmanager
    async def temporary(
        cls,
        *,
        durable: bool = False,
        services: Sequence[Service] = SERVICES,
        settings: Mapping[str, str] | None = None,
    ) -> AsyncGenerator[Self]:
        """Run a stack on free ports in a folder that is removed at the end."""
        with temporary_data_folder("training-stack-") as folder:
            async with cls(folder, durable=durable, services=services, settings=settings) as stack:
                yield stack

    async def __aenter__(self) -> Self:
        """Start everything."""
        await self.start_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop everything."""
        await self.close()

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all processes, those first that others need."""
        return (POSTGRES, NATS, *self._services)

    @property
    def nats_url(self) -> str:
        """The address of NATS, password included."""
        return self.nats.url

    def address(self, name: str) -> str:
        """Return where a service answers calls, as `host:port`."""
        return str(self._listening[name].grpc)

    def metrics_address(self, name: str) -> str:
        """Return where a service shows its metrics, as `host:port`."""
        return str(self._listening[name].metrics)

    def dsn(self, name: str) -> str:
        """Return the address of a service's database for its own role, password included."""
        return self._databases.dsn(name)

    def log(self, name: str) -> Path:
        """Return the log file of a process."""
        return self._of(name).log

    def pid(self, name: str) -> int:
        """Return the process id, of the main process where there are several."""
        return self._of(name).pid

    def processes(self, name: str) -> list[int]:
        """Return the ids of all its processes (Linux; elsewhere the main one's only)."""
        return self._of(name).processes

    def running(self, name: str) -> bool:
        """Tell whether the process lives, suspended or not."""
        return self._of(name).running

    def exit_status(self, name: str) -> int | None:
        """Return how a process ended (negative: by which signal); None before and while it runs."""
        return self._of(name).exit_status

    async def ended(self, name: str, within: float) -> bool:
        """Wait for a process to end by itself or another's hand; tell whether it did within so many seconds."""
        return await self._of(name).ended(within)

    async def serving(self, name: str, health: str = "") -> bool:
        """Tell whether a service's health of that name is SERVING now."""
        return await is_serving(self._listening[name].grpc, health=health)

    async def wait_ready(self, *names: str, health: str = "", within: float = 30.0) -> None:
        """Wait until these services (none named: all) are SERVING under that health.

        Raises TimeoutError, and StartFailed with the end of the log as soon as one of them does not run.
        """
        chosen = names or tuple(self._services)
        await _side_by_side(*(self._services[name].ready(health, within) for name in chosen))

    async def start_all(self) -> None:
        """Start everything that does not run; after a failure everything is stopped again."""
        try:
            await _side_by_side(*(self.start(name) for name in (POSTGRES, NATS) if not self.running(name)))
            await self._databases.create(self._services)
            await _side_by_side(*(self.start(name) for name in self._services if not self.running(name)))
        except BaseException:
            await self.close()
            raise

    async def start(self, name: str) -> None:
        """Start one process and return once it answers; after a kill or a crash it goes on with its data."""
        await self._of(name).start()

    async def stop(self, name: str) -> None:
        """Stop one process in order; harmless when it does not run."""
        self.resume(name)
        await self._of(name).stop()

    async def kill(self, name: str) -> None:
        """Kill one process with all that belongs to it, at once and without warning."""
        self._suspended.discard(name)
        await self._of(name).kill()

    async def restart(self, name: str) -> None:
        """Stop one process in order and start it again."""
        await self.stop(name)
        await self.start(name)

    def suspend(self, name: str) -> None:
        """Halt one process with all that belongs to it; its connections stay open and nobody answers."""
        self._suspended.add(name)
        # The first makes the others: once it is halted, there are no new ones.
        self._signal([self.pid(name)], signal.SIGSTOP)
        self._signal(self.processes(name), signal.SIGSTOP)

    def resume(self, name: str) -> None:
        """Let a suspended process go on; harmless when it is not suspended."""
        if name in self._suspended:
            self._suspended.discard(name)
            self._signal(self.processes(name), signal.SIGCONT)

    async def close(self) -> None:
        """Stop everything in order: the services drain first, then NATS, then PostgreSQL."""
        for name in tuple(self._suspended):
            self.resume(name)
        await _side_by_side(*(server.stop() for server in self._services.values()))
        await self.nats.stop()
        await self.postgres.stop()

    async def kill_all(self) -> None:
        """Kill everything at once and let go of the folder."""
        self._suspended.clear()
        await _side_by_side(*(self._of(name).kill() for name in self.names))
        await self.close()

    def _of(self, name: str) -> EmbeddedServer:
        servers: Mapping[str, EmbeddedServer] = {POSTGRES: self.postgres, NATS: self.nats, **self._services}
        try:
            return servers[name]
        except KeyError:
            raise ValueError(f"there is no process {name!r}; there are {', '.join(servers)}") from None

    def _server(self, service: Service) -> ServiceServer:
        def variables() -> Mapping[str, str]:
            return {
                "TRAINING_LOG_FORMAT": os.environ.get("TRAINING_LOG_FORMAT", "json"),
                "TRAINING_DEVELOPMENT_PRINCIPALS": "true",
                # The broker sets the space of its streams aside; a developer's disk may not have production's.
                "TRAINING_STREAM_MAX_BYTES": os.environ.get("TRAINING_STREAM_MAX_BYTES", str(1024**3)),
                **addresses(service, self._listening),
                service.variable("DATABASE_URL"): self.dsn(service.name),
                "NATS_URL": self.nats_url,
                **self._settings,
            }

        return ServiceServer(service, self.folder / service.name, self._listening[service.name], variables)

    @staticmethod
    def _signal(processes: Sequence[int], number: signal.Signals) -> None:
        for process in processes:
            with suppress(ProcessLookupError):
                os.kill(process, number)


async def _side_by_side(*steps: Awaitable[None]) -> None:
    """Wait for all of them; the first failure ends the others and is raised as it is."""

    async def one(step: Awaitable[None]) -> None:
        await step

    try:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                group.create_task(one(step))
    except BaseExceptionGroup as failures:
        raise failures.exceptions[0] from None
