"""The unprivileged account that PostgreSQL runs under when the stack runs as root."""

import os
import pwd
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from chassis.embedded.errors import FolderUnusable

_PROBE_SECONDS = 20
_DROP = """
import os, sys
uid, gid, *command = sys.argv[1:]
os.setgroups([])
os.setgid(int(gid))
os.setuid(int(uid))
try:
    os.execv(command[0], command)
except OSError as error:
    sys.stderr.write(str(error))
    sys.exit(126)
"""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of this machine other than the current one."""

    name: str
    uid: int
    gid: int

    def reaches(self, folder: Path) -> bool:
        """Tell whether the account can enter a folder; the kernel answers, so access lists count too."""
        return run_as(self, ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)]).returncode == 0

    def barrier(self, folder: Path) -> Path:
        """Return the topmost folder on the way that the account cannot enter."""
        ways = [*reversed(folder.parents), folder]
        return next((way for way in ways if not self.reaches(way)), folder)


def server_account() -> Account | None:
    """Return the account to drop to, or None where the current one will do (PostgreSQL refuses only root)."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("nobody")
    except KeyError:
        message = "PostgreSQL refuses to run as root and this machine has no account 'nobody'; run as an ordinary user"
        raise FolderUnusable(message) from None
    return Account(entry.pw_name, entry.pw_uid, entry.pw_gid)


def run_as(account: Account | None, argv: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run a short command as the account (None: as ourselves) and return its outcome, never raising for its failure.

    Another interpreter drops to the account: with `user=` subprocess forks this process instead, and a fork in which
    gRPC runs can crash before it becomes the command.
    """
    dropped = [sys.executable, "-I", "-S", "-E", "-c", _DROP, str(account.uid), str(account.gid)] if account else []
    try:
        return subprocess.run(
            [*dropped, *argv],
            cwd="/",
            text=True,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_PROBE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return subprocess.CompletedProcess(argv, 126, "", str(error))
