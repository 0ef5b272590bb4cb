"""The operators' guide, executed: its commands are typed as a reader would, and what happens meanwhile does happen.

A comment `<!-- meanwhile: ... -->` in the page stands where something happens that no command of the reader does.
"""

import asyncio
import os
import re
import shlex
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from chassis.stack import Stack
from chassis.stack.services import SERVICES
from tests.e2e.tour import CUT, ROOT, Step

PAGE: Final = "docs/operations.md"
_SECTION: Final = re.compile(r"^## (.+)$", re.MULTILINE)
_PART: Final = re.compile(r"^```console\n(.*?)^```$|^<!-- meanwhile: (.*?) -->$", re.MULTILINE | re.DOTALL)
_LOOKS: Final = re.compile(r"^trainingctl (status|explain|audit(?!.*--repair)|parked (list|show))|^psql .*SELECT")
"""Commands that change nothing: they are typed again for a while, for what they show may be about to happen."""
_SOON_SECONDS: Final = 60.0
_AGAIN_SECONDS: Final = 0.3
_PATIENCE_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Meanwhile:
    """Something that happens."""

    what: str


Part: TypeAlias = Step | Meanwhile
Happenings: TypeAlias = Mapping[str, Callable[[], Awaitable[object]]]


def sections() -> dict[str, tuple[Part, ...]]:
    """Return the executable parts of each section that has any."""
    _, *pieces = _SECTION.split((ROOT / PAGE).read_text(encoding="utf-8"))
    found = {name: tuple(_parts(text)) for name, text in zip(pieces[::2], pieces[1::2], strict=True)}
    return {name: parts for name, parts in found.items() if parts}


def _parts(text: str) -> Iterator[Part]:
    for block, what in _PART.findall(text):
        if what:
            yield Meanwhile(what)
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            yield _step(step)


def _step(text: str) -> Step:
    lines = text.splitlines()
    for end in range(1, len(lines) + 1):
        try:
            shlex.split("\n".join(lines[:end]))
        except ValueError:
            continue  # a quotation goes on in the next line
        if not lines[end - 1].endswith("\\"):
            return Step("\n".join(lines[:end]), tuple(lines[end:]))
    raise AssertionError(f"a command without an end: {text}")


class Operator:
    """Someone who follows the guide at a stack."""

    def __init__(self, stack: Stack, **variables: str) -> None:
        self._folder = stack.folder
        self._variables = {**variables_of(stack), **variables}

    async def follow(self, section: str, happenings: Happenings) -> None:
        """Type a section's commands; an AssertionError shows what differs from what is printed."""
        parts = sections()[section]
        assert {part.what for part in parts if isinstance(part, Meanwhile)} == set(happenings)
        for part in parts:
            if isinstance(part, Meanwhile):
                await happenings[part.what]()
            else:
                await self.type(part)

    async def type(self, step: Step) -> str:
        """Run a command until it prints what it should; only one that changes nothing is run again."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (_SOON_SECONDS if _LOOKS.search(step.command) else 0)
        while True:
            output = await self.shell(step.command)
            missing = first_missing(step.printed, output)
            if missing is None:
                return output
            assert loop.time() < deadline, f"not in the output of\n{step.command}\n: {missing!r}\n{output}"
            await asyncio.sleep(_AGAIN_SECONDS)

    async def shell(self, command: str) -> str:
        """Run a command in the stack's folder and return what it prints."""
        process = await asyncio.create_subprocess_exec(
            "bash",
            "-c",
            command,
            cwd=self._folder,
            env={**os.environ, **self._variables},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                output, _ = await process.communicate()
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
            raise AssertionError(f"no end within {_PATIENCE_SECONDS} s: {command}") from None
        return output.decode()


def variables_of(stack: Stack) -> dict[str, str]:
    """Return what `make run` writes to its file `environment`, an administrator's address, and where programs are."""
    found = {"NATS_URL": stack.nats_url, "ADMIN_URL": stack.postgres.dsn("postgres"), "COLUMNS": "240"}
    for service in SERVICES:
        found[service.variable("GRPC_ADDRESS")] = stack.address(service.name)
        found[service.variable("DATABASE_URL")] = stack.dsn(service.name)
    programs = (str(Path(sys.executable).parent), str(stack.postgres.programs), str(ROOT / ".tools" / "bin"))
    return {**found, "PATH": os.pathsep.join((*programs, os.environ["PATH"]))}


def first_missing(printed: Sequence[str], output: str) -> str | None:
    """Return the first printed line that is not in the output, in order; `…` stands for anything."""
    rest = output.splitlines()
    for line in printed:
        if line.strip() in {CUT, ""}:
            continue
        wanted = re.compile(r"\s*" + ".*".join(map(re.escape, line.strip().split(CUT))) + r"\s*")
        at = next((number for number, real in enumerate(rest) if wanted.fullmatch(real)), None)
        if at is None:
            return line
        rest = rest[at + 1 :]
    return None
