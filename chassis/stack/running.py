"""What `make run` does: start everything, say where it is, keep it running, stop it in order."""

import asyncio
import os
import shlex
import time
from collections.abc import Awaitable, Sequence
from pathlib import Path
from typing import Final

from chassis.embedded import EmbeddedError
from chassis.embedded.server import keep_secret
from chassis.health import FRESHNESS
from chassis.stack import afterwards, examples
from chassis.stack.console import LogFollower, say
from chassis.stack.ownership import owned_data_folder
from chassis.stack.services import SERVICES, Listening, addresses
from chassis.stack.stack import Stack
from chassis.stack.supervision import Supervisor
from chassis.startup import StartFailure

_PARENT_POLL_SECONDS: Final = 0.5
_FRESH_SECONDS: Final = 10.0
_OWN_SERVERS: Final = ("NATS_URL", *(service.variable("DATABASE_URL") for service in SERVICES))


async def run(stop: asyncio.Event, *, then: Sequence[str] = (), with_parent: bool = False) -> None:
    """Run the stack of the project in the working directory until asked to stop; being cancelled kills it.

    `then` is a command to run once it is ready. `with_parent` stops it when the process that started it has ended.
    """
    begun, project, parent = time.monotonic(), Path.cwd(), os.getppid() if with_parent else None
    command = afterwards.found(then) if then else []
    try:
        listening = {service.name: Listening.from_environment(service) for service in SERVICES}
        with owned_data_folder(project) as folder:
            say("", f"Data and logs: {folder.path}")
            if folder.notice:
                say("", folder.notice)
            for name in _OWN_SERVERS:
                if name in os.environ:
                    say("", f"{name} is not used: the stack has servers of its own.")
            await _Run(Stack(folder.path, listening=listening), project, begun).until(stop, command, parent)
    except (EmbeddedError, ValueError) as error:
        raise StartFailure(str(error)) from error


class _Run:
    """One run of a stack, from its start to its end."""

    def __init__(self, stack: Stack, project: Path, begun: float) -> None:
        self._stack = stack
        self._project = project
        self._begun = begun
        self._logs = LogFollower({service.name: stack.log(service.name) for service in stack.services})

    async def until(self, stop: asyncio.Event, command: Sequence[str], parent: int | None) -> None:
        """Run everything until asked to stop, or until something fails for good."""
        try:
            await _first(self._serve(command), _asked(stop, parent))
            await self._stack.close()
        except asyncio.CancelledError:
            await self._stack.kill_all()
            say("", "Killed.")
            raise
        except BaseException:
            await self._stack.close()
            raise
        self._logs.look()
        say("", "Stopped.")

    async def _serve(self, command: Sequence[str]) -> None:
        """Start, tell, keep; end only by failing."""
        await self._stack.start_all()
        try:
            await self._stack.wait_ready(health=FRESHNESS, within=_FRESH_SECONDS)
        except TimeoutError:
            say("", "Ready, but not everything published has arrived everywhere yet.")
        self._tell()
        self._logs.skip()
        async with asyncio.TaskGroup() as group:
            group.create_task(Supervisor(self._stack, say).run())
            group.create_task(self._logs.run())
            if command:
                group.create_task(self._afterwards(command))

    def _tell(self) -> None:
        """Print addresses, three calls to try, and how long it took."""
        for service in self._stack.services:
            metrics = self._stack.metrics_address(service.name)
            say(service.name, f"{self._stack.address(service.name)}   metrics http://{metrics}/metrics")
        environment = self._stack.folder / "environment"
        lines = (f"export {name}={shlex.quote(value)}\n" for name, value in self._variables().items())
        keep_secret(environment, "".join(lines))
        say("postgres", f"127.0.0.1:{self._stack.postgres.port}")
        say("nats", f"127.0.0.1:{self._stack.nats.port}   their URLs, with passwords, are in {environment}")
        grpcurl = examples.grpcurl(self._project)
        missing = "" if grpcurl else " (`make tools` builds grpcurl; it is not on the path yet)"
        say("", f"\nTry these, in order{missing}:")
        for line in examples.lines(grpcurl or "grpcurl", self._stack.address):
            say("", f"\n{line}")
        say("", f"\nReady in {time.monotonic() - self._begun:.1f} s. Ctrl-C stops everything.")

    def _variables(self) -> dict[str, str]:
        listening = {service.name: Listening.from_environment(service) for service in self._stack.services}
        found = {"NATS_URL": self._stack.nats_url}
        for service in self._stack.services:
            found |= addresses(service, listening)
            found[service.variable("DATABASE_URL")] = self._stack.dsn(service.name)
        return found

    async def _afterwards(self, command: Sequence[str]) -> None:
        status = await afterwards.run(command, self._variables())
        if status != 0:
            say("", f"{shlex.join(command)} ended with status {status}; everything goes on running.")


async def _asked(stop: asyncio.Event, parent: int | None) -> None:
    """Wait until the run is to end, and say so."""
    await _first(stop.wait(), *([_orphaned_by(parent)] if parent else []))
    say("", "Stopping: the services first, then NATS, then PostgreSQL. Ctrl-C again kills them.")


async def _orphaned_by(parent: int) -> None:
    while os.getppid() == parent:  # noqa: ASYNC110 - another process, no event to await
        await asyncio.sleep(_PARENT_POLL_SECONDS)


async def _first(*steps: Awaitable[object]) -> None:
    """Wait until one of them ends and end the others; raise what it raised."""
    tasks = [asyncio.ensure_future(step) for step in steps]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        done = [task for task in tasks if task.done()]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    for task in done:
        try:
            task.result()
        except BaseExceptionGroup as failures:
            raise failures.exceptions[0] from None
