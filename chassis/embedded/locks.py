"""Two locks of a server's folder: one says who owns it, one says that something of an earlier server still lives.

Both are `flock`s, so the kernel lets go of them with the last process that holds them, whatever killed it. The owner's
lock is never inherited. The tree's lock is inherited by the server and by every process it forks: once it is free, all
of them are gone, also the backends that outlive a killed postmaster.
"""

import asyncio
import fcntl
import os
import signal
from pathlib import Path

from chassis.embedded.errors import FolderInUse

_POLL_SECONDS = 0.01


class OwnerLock:
    """The right of one process to run a server in a folder."""

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is taken yet."""
        self._path = path
        self._fd: int | None = None

    def acquire(self) -> None:
        """Take the lock or raise FolderInUse naming the owner; taking it again is harmless."""
        if self._fd is not None:
            return
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(fd, 32).decode("ascii", "replace").strip() or "unknown"
            os.close(fd)
            message = f"{self._path.parent} is in use by process {owner}; stop it or choose another folder"
            raise FolderInUse(message) from None
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode("ascii"))
        self._fd = fd

    def release(self) -> None:
        """Let go of the lock if it is held."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


class TreeLock:
    """The lock that a server and all its descendants hold while any of them lives."""

    def __init__(self, path: Path) -> None:
        """Name the lock; nothing is taken yet."""
        self._path = path

    async def take(self, patience: float) -> int:
        """Return a locked descriptor to hand to the next server, once nothing of the one before is left.

        What has not gone after `patience` seconds is killed where the processes can be told (Linux); after as long
        again FolderInUse is raised.
        """
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            free = await self._locked(fd, patience)
            if not free:
                self.kill_holders()
                free = await self._locked(fd, patience)
        except BaseException:
            os.close(fd)
            raise
        if not free:
            os.close(fd)
            message = f"an earlier server still uses {self._path.parent}: processes {self.holders() or 'unknown'}"
            raise FolderInUse(message)
        return fd

    async def gone(self, patience: float) -> bool:
        """Wait until no process of the server is left; tell whether that came true in time."""
        fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            return await self._locked(fd, patience)
        finally:
            os.close(fd)

    def holders(self) -> list[int]:
        """Return the processes but this one that have the lock's file open (Linux; elsewhere none can be told)."""
        try:
            identity = self._path.stat()
            processes = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdecimal()]
        except FileNotFoundError:
            return []
        return sorted(pid for pid in processes if pid != os.getpid() and _has_open(pid, identity))

    def kill_holders(self) -> None:
        """Kill every process of the server at once, as a power cut would."""
        for pid in self.holders():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue

    @staticmethod
    async def _locked(fd: int, patience: float) -> bool:
        deadline = asyncio.get_running_loop().time() + patience
        while True:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if asyncio.get_running_loop().time() >= deadline:
                    return False
                await asyncio.sleep(_POLL_SECONDS)
            else:
                return True


def _has_open(pid: int, identity: os.stat_result) -> bool:
    try:
        with os.scandir(f"/proc/{pid}/fd") as descriptors:
            return any(_is(descriptor, identity) for descriptor in descriptors)
    except OSError:
        # It has ended meanwhile, or belongs to somebody whose descriptors are not ours to see.
        return False


def _is(descriptor: "os.DirEntry[str]", identity: os.stat_result) -> bool:
    try:
        found = descriptor.stat()
    except OSError:
        return False
    return (found.st_dev, found.st_ino) == (identity.st_dev, identity.st_ino)
