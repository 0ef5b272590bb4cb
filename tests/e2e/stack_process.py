"""`make run` as a test sees it: a process with an output, children, and an end."""

import os
import queue
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from chassis.embedded.account import Account
from chassis.embedded.ports import free_port
from chassis.stack import SERVICES, examples

ROOT = Path(__file__).parents[2]
PATH = os.pathsep.join(str(Path(entry).absolute()) for entry in sys.path if entry)
READY = "Ready in "
PREFIXES = ("TRAINING_", "NATS_", *(f"{service.name.upper()}_" for service in SERVICES))


class MakeRun:
    """A started stack; what it prints is kept in `output`."""

    def __init__(self, process: "subprocess.Popen[str]", environment: Mapping[str, str], begun: float) -> None:
        self.process = process
        self.environment = dict(environment)
        self.output: list[str] = []
        self._begun = begun
        self._lines: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def until(self, words: str, within: float = 60) -> float:
        """Wait for a line with these words; return how long after the process's start it came, in seconds."""
        deadline = time.monotonic() + within
        while True:
            try:
                line = self._lines.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                pytest.fail(f"no {words!r} within {within} s; it said:\n{self.said}")
            if line is None:
                pytest.fail(f"it ended with {self.process.wait(5)} before {words!r}; it said:\n{self.said}")
            self.output.append(line)
            if words in line:
                return time.monotonic() - self._begun

    @property
    def said(self) -> str:
        """All that has been printed and waited for."""
        return "".join(self.output)

    @property
    def calls(self) -> list[str]:
        """The lines to paste."""
        return [line.strip() for line in self.output if "grpcurl -plaintext" in line]

    def family(self) -> list[psutil.Process]:
        """Return the process and all that descend from it."""
        process = psutil.Process(self.process.pid)
        return [process, *process.children(recursive=True)]

    def child(self, word: str) -> psutil.Process:
        """Return the child whose command line has the word, or is of the program of that name."""
        children = psutil.Process(self.process.pid).children()
        return next(child for child in children if word in {*child.cmdline(), Path(child.cmdline()[0]).name})

    def ended(self, within: float = 25) -> int:
        """Wait for its end; return the exit status."""
        status = self.process.wait(within)
        while (line := self._lines.get(timeout=5)) is not None:
            self.output.append(line)
        return status

    def paste(self, call: str) -> str:
        """Run a line in a shell, as a reader would, and return what it prints."""
        done = subprocess.run(
            ["/bin/sh", "-c", call],
            cwd=ROOT,
            env=self.environment,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, f"{call}\n{done.stdout}"
        return done.stdout

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def close(self) -> None:
        """End it, by force if it must be, and everything that reads from it."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.process.wait()
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def make_run(
    folder: Path,
    *arguments: str,
    parent: Sequence[str] = (),
    python: str = sys.executable,
    user: Account | None = None,
    variables: Mapping[str, str] | None = None,
) -> Iterator[MakeRun]:
    """Start the stack as `make run` does, on free ports, its data in the folder; `parent` is a command that runs it."""
    environment = environment_for(folder, variables or {})
    begun = time.monotonic()
    process = subprocess.Popen(
        [*parent, python, "-P", "-m", "chassis.stack", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT if user is None else folder,
        env=environment,
        start_new_session=True,
        user=user.uid if user else None,
        group=user.gid if user else None,
        extra_groups=[] if user else None,
    )
    run = MakeRun(process, environment, begun)
    try:
        yield run
    finally:
        run.close()


def environment_for(folder: Path, variables: Mapping[str, str]) -> dict[str, str]:
    """Return our environment without settings of the platform, and with free ports and the folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(PREFIXES)}
    ports = {
        service.variable(setting): f"127.0.0.1:{free_port()}"
        for service in SERVICES
        for setting in ("GRPC_ADDRESS", "METRICS_ADDRESS")
    }
    return {**kept, "PYTHONPATH": PATH, "TRAINING_DATA_DIR": str(folder), **ports, **variables}


def all_gone(processes: list[psutil.Process], within: float = 15) -> bool:
    """Wait until none of the processes lives; tell whether that came true in time.

    What has ended and waits for the system to take note of it, which adopts orphans, does not live.
    """
    return all(map(_ended, psutil.wait_procs(processes, timeout=within)[1]))


def _ended(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def need_grpcurl() -> None:
    """Fail unless there is the program that the printed lines call."""
    if examples.grpcurl(ROOT) is None:
        pytest.fail("grpcurl is neither on the path nor in .tools/bin: `make tools` builds it where Go is installed")


def free_space_for(user: Account | None, folder: Path) -> Path:
    """Make a private home in the folder for a user."""
    home = folder / "home"
    home.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(home, user.uid, user.gid)
    return home
