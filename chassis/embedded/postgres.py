"""A real PostgreSQL server on loopback, from the programs of a wheel."""

import asyncio
import os
import re
import secrets
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import asyncpg
from typing_extensions import override

from chassis.embedded.account import server_account
from chassis.embedded.binaries import OLDEST_POSTGRES, postgres_programs
from chassis.embedded.child import Child
from chassis.embedded.errors import FolderUnusable
from chassis.embedded.ports import LOOPBACK
from chassis.embedded.server import POLL_SECONDS, EmbeddedServer, clean_environment, keep_secret

USER = "training"

_INITDB_SECONDS = 120.0
_CONNECT_SECONDS = 10.0
_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")

# postmaster.pid: the first line is its process id, the eighth its state, once it listens.
_PID_LINE, _STATE_LINE = 0, 7

_SETTINGS: Mapping[str, str] = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_error_verbosity": "terse",  # a violated key is told with a row's contents otherwise
    "log_line_prefix": "%m [%p] %d ",
    "jit": "off",
}


class EmbeddedPostgres(EmbeddedServer):
    """A PostgreSQL server with all its files in one folder.

    As root it runs as an unprivileged account. With `durable=False` it does not sync to disk: a crash of the server
    still loses nothing, one of the machine may lose everything. `settings` are added to, or replace, the server's own.
    """

    _title: ClassVar[str] = "PostgreSQL"
    # At the parent's death an immediate shutdown: backends end at once (after 5 s by force) and the next start recovers
    # from the log. A fast shutdown would wait for a checkpoint with nobody left to lose patience; SIGKILL would leave
    # backends behind.
    _on_parent_death: ClassVar[signal.Signals] = signal.SIGQUIT
    _stop_steps: ClassVar[tuple[tuple[signal.Signals, float], ...]] = ((signal.SIGINT, 30.0), (signal.SIGQUIT, 10.0))

    def __init__(
        self,
        folder: Path,
        *,
        port: int | None = None,
        durable: bool = True,
        bindir: Path | None = None,
        settings: Mapping[str, str] | None = None,
        start_timeout: float = 60.0,
    ) -> None:
        """Remember where and how; nothing is touched before `start`."""
        super().__init__(folder, port, start_timeout)
        self._account = server_account()
        self._durable = durable
        self._bindir = bindir
        self._settings = dict(settings or {})
        self._data = self.folder / "data"
        self._password_file = self.folder / "password"
        self._password = ""
        self._programs = Path()

    @property
    def programs(self) -> Path:
        """Where its programs are, those of backups among them; known once it has been started."""
        return self._programs

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database, password included."""
        return f"postgresql://{USER}:{self._password}@{LOOPBACK}:{self.port}/{database}"

    async def create_database(self, name: str, template: str = "template1") -> str:
        """Create the database, a copy of `template`, unless it exists; return its address."""
        for word in (name, template):
            if not _NAME.fullmatch(word):
                message = f"not a plain database name: {word!r}"
                raise ValueError(message)
        connection = await asyncpg.connect(self.dsn(), timeout=_CONNECT_SECONDS, ssl=False)
        try:
            if not await connection.fetchval("SELECT true FROM pg_database WHERE datname = $1", name):
                with suppress(asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
                    await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        finally:
            await connection.close()
        return self.dsn(name)

    @override
    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if self._account is not None:
                self.folder.chmod(0o711)
        except OSError as error:
            message = f"cannot use the folder {self.folder}: {error.strerror}"
            raise FolderUnusable(message) from None
        if self._account is not None and not self._account.reaches(self.folder):
            barrier = self._account.barrier(self.folder)
            message = (
                f"PostgreSQL runs as '{self._account.name}', which cannot reach {self.folder}: {barrier} keeps it out"
            )
            raise FolderUnusable(message)

    @override
    async def _prepare(self, lock: int) -> None:
        self._programs = postgres_programs(self._bindir, self._account, self.folder)
        if not self._data.exists():
            await self._initialise(lock)
        user = self._account.uid if self._account else os.geteuid()
        owner = self._data.stat().st_uid
        if owner != user:
            message = (
                f"{self._data} belongs to user {owner}, and the server would run as user {user}; start it as before"
            )
            raise FolderUnusable(message)
        try:
            self._password = self._password_file.read_text(encoding="utf-8")
        except OSError as error:
            message = f"the password of {self._data} cannot be read from {self._password_file}: {error.strerror}"
            raise FolderUnusable(message) from None

        self._forget_dead_postmaster()

    def _forget_dead_postmaster(self) -> None:
        """Remove a postmaster.pid whose process is no server of this folder: a zombie, or a stranger with its number.

        PostgreSQL itself only asks whether the number is taken, and would refuse to start for as long as it is.
        """
        file = self._data / "postmaster.pid"
        if not file.exists() or not Path("/proc/self/cwd").exists():
            return
        pid = file.read_text(encoding="utf-8").partition("\n")[0].strip()
        try:
            works_here = Path(f"/proc/{pid}/cwd").readlink() == self._data.resolve()
        except OSError:
            works_here = False
        if not works_here:
            file.unlink()

    async def _initialise(self, lock: int) -> None:
        """Make the data folder under another name and rename it when it is whole."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        keep_secret(self._password_file, secrets.token_hex(24), self._account)
        if self._account is not None:
            os.chown(unfinished, self._account.uid, self._account.gid)
        since = self.log.stat().st_size if self.log.exists() else 0
        child = self._run(self._initdb(unfinished), lock)
        try:
            if not await child.ended(_INITDB_SECONDS):
                reason = f"was not initialised after {_INITDB_SECONDS:g} s"
                raise self._failure(reason, since)
        finally:
            await child.end((signal.SIGINT, 2.0))
        if child.exit_status != 0:
            reason = f"could not be initialised (initdb ended with status {child.exit_status})"
            raise self._failure(reason, since)
        unfinished.rename(self._data)

    def _initdb(self, data: Path) -> Sequence[str]:
        # The server's own collation is the builtin one, the same on every machine. pg_trgm and full text search still
        # ask the C library what a letter is, and in plain C only ASCII has any; macOS has no C.UTF-8 but this one.
        letters = "UTF-8" if sys.platform == "darwin" else "C.UTF-8"
        return [
            str(self._programs / "initdb"),
            f"--pgdata={data}",
            f"--username={USER}",
            f"--pwfile={self._password_file}",
            "--auth=scram-sha-256",
            "--encoding=UTF8",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--locale=C",
            f"--lc-ctype={letters}",
            "--data-checksums",
            "--no-instructions",
            *([] if self._durable else ["--no-sync"]),
        ]

    @override
    def _command(self) -> Sequence[str]:
        # After a crash every file is synced: one call on Linux instead of thousands.
        recovery = {"recovery_init_sync_method": "syncfs"} if sys.platform == "linux" else {}
        durability = {"fsync": "on" if self._durable else "off"}
        settings = {**_SETTINGS, **recovery, **durability, **self._settings, "port": str(self.port)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self._programs / "postgres"), "-D", str(self._data), *options]

    @override
    def _environment(self) -> Mapping[str, str]:
        return clean_environment("PG")

    @override
    async def _answer(self, child: Child) -> None:
        while not self._accepts(child.pid):  # noqa: ASYNC110 - another process, no event to await
            await asyncio.sleep(POLL_SECONDS)
        connection = await asyncpg.connect(self.dsn(), timeout=_CONNECT_SECONDS, ssl=False)
        try:
            version = int(await connection.fetchval("SHOW server_version_num")) // 10_000
        finally:
            await connection.close()
        if version < OLDEST_POSTGRES:
            reason = f"is version {version}; {OLDEST_POSTGRES} or newer is needed"
            raise self._failure(reason, 0)

    def _accepts(self, pid: int) -> bool:
        """Tell whether this very server says that it accepts connections, as pg_ctl would ask it."""
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) > _STATE_LINE and lines[_PID_LINE] == str(pid) and lines[_STATE_LINE].strip() == "ready"
