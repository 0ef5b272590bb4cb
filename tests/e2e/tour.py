"""Running a page's commands as a reader would, and finding in their output what the page prints."""

import asyncio
import os
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from chassis.stack.stack import Stack

ROOT: Final = Path(__file__).resolve().parents[2]
CUT: Final = "…"
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_ASSIGNMENT: Final = re.compile(r"([A-Z]+)=(.+)")
_COPIED: Final = {"TOKEN": "consistency_token", "QUOTE": "token"}
_PORTS: Final = {"127.0.0.1:50051": "program", "127.0.0.1:50052": "offer", "127.0.0.1:50053": "catalogue"}
_READS: Final = re.compile(r"/(Get|List|BatchGet|Compare)")
_SOON_SECONDS: Final = 15.0
_AGAIN_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """One command of a page, and the lines of output printed with it."""

    command: str
    printed: tuple[str, ...]


def steps(page: str) -> Iterator[Step]:
    """Yield the commands of a page of the repository, in order."""
    for block in _BLOCK.findall((ROOT / page).read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = step.splitlines()
            for end in range(1, len(lines) + 1):
                try:
                    shlex.split("\n".join(lines[:end]))
                except ValueError:
                    continue  # a quotation goes on in the next line
                yield Step("\n".join(lines[:end]), tuple(lines[end:]))
                break


async def walk(tour: Sequence[Step], stack: Stack) -> None:
    """Run every command against the stack; an AssertionError shows what differs from what is printed."""
    variables: dict[str, str] = {}
    seen: dict[str, str] = {}
    for step in tour:
        if assignment := _ASSIGNMENT.fullmatch(step.command):
            name, value = assignment.groups()
            variables[name] = seen[_COPIED[name]] if value == CUT else await _shell(f"printf %s {value}", {}, stack)
            continue
        output = await _until_printed(step, variables, stack)
        seen.update(re.findall(r'"(\w+)": "([^"]+)"', output))


async def _until_printed(step: Step, variables: dict[str, str], stack: Stack) -> str:
    """Run a command; one that only reads is run again for a while, for what it shows may be about to happen."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + (_SOON_SECONDS if _READS.search(step.command) else 0)
    while True:
        output = await _shell(step.command, variables, stack)
        missing = _first_missing(step.printed, output)
        if missing is None:
            return output
        assert loop.time() < deadline, f"not in the output of\n{step.command}\n: {missing!r}\n{output}"
        await asyncio.sleep(_AGAIN_SECONDS)


async def _shell(command: str, variables: dict[str, str], stack: Stack) -> str:
    for printed, service in _PORTS.items():
        command = command.replace(printed, stack.address(service))
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        command,
        env={**os.environ, **variables, "PATH": f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    return output.decode()


def _first_missing(printed: tuple[str, ...], output: str) -> str | None:
    """Return the first printed line that is not in the output, in order; `…` stands for anything."""
    rest = output.splitlines()
    for line in printed:
        if line.strip() in {CUT, ""}:
            continue
        start = line.removesuffix(CUT) if line.endswith(CUT) else None
        at = next(
            (number for number, real in enumerate(rest) if (real.startswith(start) if start else real == line)), None
        )
        if at is None:
            return line
        rest = rest[at + 1 :]
    return None
