"""Which folder holds the data of a stack, chosen once and remembered.

The wanted folder is TRAINING_DATA_DIR, or `.data` of the project. When the stack runs as root, PostgreSQL runs under an
account that may be kept out of it (a checkout under a private home). Nothing is opened up then: the data goes to a
folder outside, named by a hash of the wanted path, and a pointer in the wanted folder keeps later runs there, also when
the way has become free since.
"""

import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from chassis.embedded.account import Account, server_account
from chassis.embedded.errors import FolderUnusable

POINTER = "elsewhere"
_ORIGIN = "origin"
_OUTSIDE = Path("/var/tmp")  # noqa: S108 - survives a reboot, as data must; ownership is checked before use
_PASSABLE = 0o711


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The folder to use, the one that was wanted, and what to tell the user when they differ."""

    path: Path
    wanted: Path
    notice: str | None = None


def choose_data_folder(project: Path) -> DataFolder:
    """Return the data folder of a project, existing and reachable by every account that needs it."""
    wanted = Path(os.environ.get("TRAINING_DATA_DIR") or project / ".data").absolute()
    return data_folder_for(wanted, server_account(), _OUTSIDE)


def data_folder_for(wanted: Path, account: Account | None, outside: Path) -> DataFolder:
    """Return the wanted folder, or the one under `outside` that stands for it where the account cannot reach it."""
    try:
        wanted.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        message = f"cannot make the data folder {wanted}: {error.strerror}; set TRAINING_DATA_DIR to another"
        raise FolderUnusable(message) from None
    if not os.access(wanted, os.W_OK | os.X_OK):
        message = f"cannot write to the data folder {wanted}; set TRAINING_DATA_DIR to another"
        raise FolderUnusable(message)
    remembered = _remembered(wanted)
    if remembered is None and (account is None or account.reaches(wanted)):
        return DataFolder(wanted, wanted)
    path = remembered or outside / f"training-data-{hashlib.sha256(os.fsencode(wanted)).hexdigest()[:16]}"
    _own(path)
    _write(path / _ORIGIN, wanted)
    _write(wanted / POINTER, path)
    if account is not None and not account.reaches(path):
        message = (
            f"account '{account.name}' can reach neither {wanted} nor {path}; set TRAINING_DATA_DIR to a folder it can"
        )
        raise FolderUnusable(message)
    return DataFolder(path, wanted, _notice(wanted, path, account))


@contextmanager
def temporary_data_folder(prefix: str = "training-") -> Iterator[Path]:
    """Lend a folder, removed at the end, that the server's account can reach (root's private ones it cannot)."""
    path = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        path.chmod(_PASSABLE)
        account = server_account()
        if account is not None and not account.reaches(path):
            barrier = account.barrier(path)
            message = f"account '{account.name}' cannot reach {path}: {barrier} keeps it out; set TMPDIR to another"
            raise FolderUnusable(message)
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def _remembered(wanted: Path) -> Path | None:
    """Return the folder pointed to, unless the pointer came along in a copy of a folder that is still there."""
    try:
        path = Path((wanted / POINTER).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None
    origin = _origin(path)
    copied = origin is not None and origin != wanted and (origin / POINTER).exists()
    return None if copied else path


def _origin(path: Path) -> Path | None:
    try:
        return Path((path / _ORIGIN).read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def _own(path: Path) -> None:
    """Make the folder, or accept it if it is ours alone: anybody can make one of this name in a shared place."""
    try:
        path.mkdir(mode=_PASSABLE, parents=True, exist_ok=True)
        found = path.lstat()
    except OSError as error:
        message = f"cannot use {path}: {error.strerror}; set TRAINING_DATA_DIR to another folder"
        raise FolderUnusable(message) from None
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        message = (
            f"{path} is not a folder that only we can write to; remove it or set TRAINING_DATA_DIR to another folder"
        )
        raise FolderUnusable(message)
    path.chmod(_PASSABLE)


def _write(file: Path, target: Path) -> None:
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(f"{target}\n", encoding="utf-8")
    unfinished.replace(file)


def _notice(wanted: Path, path: Path, account: Account | None) -> str:
    if account is None or account.reaches(wanted):
        return f"The data is in {path}, where {wanted / POINTER} points."
    return (
        f"PostgreSQL runs as '{account.name}', which cannot reach {wanted} ({account.barrier(wanted)} keeps it out), "
        f"so the data is in {path}; {wanted / POINTER} remembers it."
    )
