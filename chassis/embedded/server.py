"""The life of an embedded server: own the folder, start on a port, be ready, stop, be killed, start again."""

import asyncio
import os
import signal
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from chassis.embedded.account import Account
from chassis.embedded.child import Child
from chassis.embedded.errors import PortTaken, StartFailed, log_tail
from chassis.embedded.locks import OwnerLock, TreeLock
from chassis.embedded.ports import free_port, is_free

POLL_SECONDS = 0.005

_PORT_ATTEMPTS = 5
# A dying PostgreSQL kills its own stragglers after 5 s; only what outlasts that needs our force.
_LEFTOVER_SECONDS = 6.0
_ADDRESS_IN_USE = "address already in use"


class EmbeddedServer(ABC):
    """A server program with a folder and a loopback port of its own.

    `start`, `stop` and `kill` belong to one task at a time. The port, once found, stays the same across `kill` and
    `stop`, so that addresses given to clients stay true.
    """

    _title: ClassVar[str]
    _on_parent_death: ClassVar[signal.Signals]
    _stop_steps: ClassVar[tuple[tuple[signal.Signals, float], ...]]

    def __init__(self, folder: Path, port: int | None, start_timeout: float) -> None:
        """Remember where and how; nothing is touched before `start`."""
        self.folder = folder.absolute()
        self.log = self.folder / "log"
        self._port = port
        self._start_timeout = start_timeout
        self._account: Account | None = None
        self._owner = OwnerLock(self.folder / "owner.lock")
        self._tree = TreeLock(self.folder / "server.lock")
        self._child: Child | None = None

    async def __aenter__(self) -> Self:
        """Start the server."""
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the server."""
        await self.stop()

    @property
    def port(self) -> int:
        """Return the port on loopback."""
        if self._port is None:
            message = f"{self._title} has no port before it is started"
            raise RuntimeError(message)
        return self._port

    @property
    def pid(self) -> int:
        """Return the process id of the server's main process."""
        if self._child is None:
            message = f"{self._title} is not started"
            raise RuntimeError(message)
        return self._child.pid

    @property
    def running(self) -> bool:
        """Tell whether the main process lives."""
        return self._child is not None and self._child.running

    @property
    def exit_status(self) -> int | None:
        """Return how the main process ended (negative: by which signal); None before and while it runs."""
        return None if self._child is None else self._child.exit_status

    @property
    def processes(self) -> list[int]:
        """Return the ids of all the server's processes (Linux; elsewhere the main one's only)."""
        return self._tree.holders() or ([self.pid] if self.running else [])

    async def ended(self, within: float) -> bool:
        """Wait for the main process to end by itself or another's hand; tell whether it did within so many seconds."""
        return self._child is None or await self._child.ended(within)

    async def start(self) -> None:
        """Start the server and return once it answers; after `kill` or a crash it resumes with its data."""
        if self.running:
            message = f"{self._title} is already running"
            raise RuntimeError(message)
        self._make_folder()
        self._owner.acquire()
        try:
            lock = await self._tree.take(_LEFTOVER_SECONDS)
            try:
                await self._prepare(lock)
                await self._launch(lock)
            finally:
                os.close(lock)
        except BaseException:
            self._owner.release()
            raise

    async def stop(self) -> None:
        """Stop the server in order, or by force, and let go of the folder; harmless when it is not running."""
        if self._child is not None:
            await self._child.end(*self._stop_steps)
            await self._clear()
        self._owner.release()

    async def kill(self) -> None:
        """Kill every process of the server at once; `start` brings it back on the same port."""
        if self._child is not None:
            self._tree.kill_holders()
            await self._child.end()
            await self._clear()

    @abstractmethod
    def _make_folder(self) -> None:
        """Make the folder, or raise FolderUnusable."""

    @abstractmethod
    async def _prepare(self, lock: int) -> None:
        """Bring programs, data and configuration in place; whatever runs for it inherits the lock."""

    @abstractmethod
    def _command(self) -> Sequence[str]:
        """Return the command that serves on the port."""

    @abstractmethod
    def _environment(self) -> Mapping[str, str]:
        """Return the environment of the command."""

    @abstractmethod
    async def _answer(self, child: Child) -> None:
        """Return once the server has answered a client's question; a wrong answer raises StartFailed."""

    def _run(self, command: Sequence[str], lock: int) -> Child:
        return Child.start(
            command,
            log=self.log,
            on_parent_death=self._on_parent_death,
            environment=self._environment(),
            account=self._account,
            inherit=lock,
        )

    def _failure(self, reason: str, since: int) -> StartFailed:
        return StartFailed(f"{self._title} {reason}", self.log, log_tail(self.log, since))

    async def _launch(self, lock: int) -> None:
        """Start on the port given or found before, or on free ones until one is not snatched away meanwhile."""
        settled = self._port is not None
        for _ in range(_PORT_ATTEMPTS):
            self._port = self._port if settled else free_port()
            if settled and not is_free(self.port):
                message = f"{self._title} cannot have port {self.port}: something else listens on it"
                raise PortTaken(message)
            try:
                await self._launch_once(lock)
            except StartFailed as failure:
                if settled:
                    raise
                self._port = None
                if _ADDRESS_IN_USE not in failure.tail.lower():
                    raise
            else:
                return
        message = f"{self._title} found no port it could keep in {_PORT_ATTEMPTS} attempts"
        raise PortTaken(message)

    async def _launch_once(self, lock: int) -> None:
        since = self.log.stat().st_size if self.log.exists() else 0
        child = self._child = self._run(self._command(), lock)
        answer = asyncio.ensure_future(self._answer(child))
        ended = asyncio.ensure_future(child.ended(self._start_timeout))
        try:
            await asyncio.wait({answer, ended}, return_when=asyncio.FIRST_COMPLETED)
            self._judge(child, answer, since)
        except BaseException:
            await child.end((self._stop_steps[0][0], 1.0))
            raise
        finally:
            answer.cancel()
            ended.cancel()
            await asyncio.wait({answer, ended})

    def _judge(self, child: Child, answer: asyncio.Future[None], since: int) -> None:
        if not child.running:
            reason = f"gave up with status {child.exit_status}"
            raise self._failure(reason, since)
        if not answer.done():
            reason = f"was not ready after {self._start_timeout:g} s"
            raise self._failure(reason, since)
        answer.result()

    async def _clear(self) -> None:
        """Wait until nothing of the server is left, and see to it."""
        if not await self._tree.gone(1.0):
            self._tree.kill_holders()
            await self._tree.gone(_LEFTOVER_SECONDS)


def clean_environment(*private: str) -> dict[str, str]:
    """Return our environment in plain C and UTC, without the variables that begin with one of the prefixes."""
    dropped = ("LC_", "LANG", *private)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return {**kept, "LC_ALL": "C", "TZ": "UTC"}


def keep_secret(file: Path, text: str, account: Account | None = None) -> None:
    """Write a file that only its owner, the account or else ourselves, can read."""
    file.unlink(missing_ok=True)
    fd = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "w", encoding="utf-8") as stream:
        if account is not None:
            os.fchown(fd, account.uid, account.gid)
        stream.write(text)
