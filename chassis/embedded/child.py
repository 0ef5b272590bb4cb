"""Child processes that die with the process that started them, also when that one is killed with SIGKILL."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

from chassis.embedded.account import Account

_LEASH = Path(__file__).with_name("leash.py")
_LOG_LIMIT_BYTES = 16 * 1024 * 1024


class Child:
    """A running command on a leash; its process id is the command's own.

    On Linux the kernel signals the child when the *thread* that started it dies, so only the main thread may rely on
    that; from any other thread, and on other systems, a pipe is watched instead. Children lead their own session: a
    Ctrl-C in the terminal reaches the stack alone, which then stops them in order.
    """

    def __init__(self, process: subprocess.Popen[bytes], lifeline: int | None) -> None:
        """Adopt a started process; use `Child.start`."""
        self._process = process
        self._lifeline = lifeline
        self._exited: Future[int] = Future()
        threading.Thread(target=self._reap, name=f"reap-{process.pid}", daemon=True).start()

    @classmethod
    def start(
        cls,
        command: Sequence[str],
        *,
        log: Path,
        on_parent_death: signal.Signals,
        environment: Mapping[str, str],
        account: Account | None = None,
        inherit: int | None = None,
    ) -> "Child":
        """Start the command, its output appended to the log; `inherit` is a descriptor it keeps open all its life."""
        kernel_follows = sys.platform == "linux" and threading.current_thread() is threading.main_thread()
        watched, lifeline = (None, None) if kernel_follows else os.pipe()
        user = [str(account.uid), str(account.gid)] if account else ["-", "-"]
        watch = "-" if watched is None else str(watched)
        leash = [str(os.getpid()), str(int(on_parent_death)), *user, watch]
        _limit(log)
        try:
            with log.open("ab") as output:
                process = subprocess.Popen(
                    [sys.executable, "-I", "-S", "-E", str(_LEASH), *leash, *command],
                    cwd="/",
                    env=dict(environment),
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=output,
                    pass_fds=[fd for fd in (watched, inherit) if fd is not None],
                    start_new_session=True,
                    umask=0o077,
                )
        except BaseException:
            if lifeline is not None:
                os.close(lifeline)
            raise
        finally:
            if watched is not None:
                os.close(watched)
        return cls(process, lifeline)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Tell whether the process has not ended yet."""
        return not self._exited.done()

    @property
    def exit_status(self) -> int | None:
        """Return the exit status (negative: the signal that ended it), None while it runs."""
        return self._exited.result() if self._exited.done() else None

    async def ended(self, within: float) -> bool:
        """Wait for the end; tell whether it came within so many seconds."""
        if self._exited.done():
            return True
        await asyncio.wait({asyncio.wrap_future(self._exited)}, timeout=within)
        return self._exited.done()

    def send(self, signal_number: signal.Signals) -> None:
        """Send a signal; a child that has ended is no error."""
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal_number)

    async def end(self, *steps: tuple[signal.Signals, float]) -> None:
        """Ask with each signal in turn, giving it so many seconds, and kill what is left."""
        for signal_number, patience in steps:
            self.send(signal_number)
            # A suspended process takes no notice of anything milder than SIGKILL.
            self.send(signal.SIGCONT)
            if await self.ended(patience):
                return
        self.send(signal.SIGKILL)
        await asyncio.wrap_future(self._exited)

    def _reap(self) -> None:
        status = self._process.wait()
        if self._lifeline is not None:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._lifeline, b".")
            os.close(self._lifeline)
        self._exited.set_result(status)


def _limit(log: Path) -> None:
    """Set a log that has grown large aside, keeping one older one."""
    with contextlib.suppress(FileNotFoundError):
        if log.stat().st_size > _LOG_LIMIT_BYTES:
            log.replace(log.with_name(log.name + ".old"))
