"""One of the project's own services as a child process: the same life as an embedded server's."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from typing_extensions import override

from chassis.embedded import FolderUnusable, PortTaken, StartFailed
from chassis.embedded.child import Child
from chassis.embedded.ports import is_free
from chassis.embedded.server import EmbeddedServer
from chassis.stack.readiness import serving
from chassis.stack.services import Listening, Service


class ServiceServer(EmbeddedServer):
    """A service with a folder for its log and its locks; ready once its health says SERVING.

    `variables` are asked for at each start, for only then the servers that it needs have addresses.
    """

    _title: ClassVar[str] = "the service"
    # What it accepted is in its database; there is nothing to put in order that a successor does not.
    _on_parent_death: ClassVar[signal.Signals] = signal.SIGKILL
    _stop_steps: ClassVar[tuple[tuple[signal.Signals, float], ...]] = ((signal.SIGTERM, 30.0),)

    def __init__(
        self,
        service: Service,
        folder: Path,
        listening: Listening,
        variables: Callable[[], Mapping[str, str]],
        *,
        start_timeout: float = 60.0,
    ) -> None:
        """Remember what to run; nothing is touched before `start`."""
        super().__init__(folder, listening.grpc.port, start_timeout)
        self.service = service
        self.listening = listening
        self._variables = variables

    async def ready(self, health: str, within: float) -> None:
        """Wait until the health of that name is SERVING. Raises StartFailed when the process ends, TimeoutError."""
        answer = asyncio.ensure_future(serving(self.listening.grpc, within=within, health=health))
        ended = asyncio.ensure_future(self.ended(within))
        try:
            await asyncio.wait({answer, ended}, return_when=asyncio.FIRST_COMPLETED)
            if not self.running:
                raise self._failure(f"does not run (status {self.exit_status})", 0)
            await answer
        finally:
            answer.cancel()
            ended.cancel()
            await asyncio.wait({answer, ended})

    @override
    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise FolderUnusable(f"cannot use the folder {self.folder}: {error.strerror}") from None

    @override
    async def _prepare(self, lock: int) -> None:
        for setting, address in (("GRPC_ADDRESS", self.listening.grpc), ("METRICS_ADDRESS", self.listening.metrics)):
            if not is_free(address.port):
                message = (
                    f"{self.service.name} cannot listen at {address}: something else does; "
                    f"set {self.service.variable(setting)} to another address"
                )
                raise PortTaken(message)

    @override
    def _command(self) -> Sequence[str]:
        return [sys.executable, "-P", "-m", self.service.module]

    @override
    def _environment(self) -> Mapping[str, str]:
        # The child starts in the root folder: what we can import, it can too.
        path = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
        return {**os.environ, "PYTHONPATH": path, **self._variables()}

    @override
    async def _answer(self, child: Child) -> None:
        await serving(self.listening.grpc, within=self._start_timeout)

    @override
    def _failure(self, reason: str, since: int) -> StartFailed:
        failure = super()._failure(reason, since)
        return StartFailed(f"{self.service.name} {reason}", self.log, failure.tail)
