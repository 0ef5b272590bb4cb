"""The README's tour works as it is printed there."""

import asyncio
import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from chassis.stack.stack import Stack

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TOKEN = re.compile(r'"consistency_token": "([^"]+)"')
CUT = "…"
PORTS = {"127.0.0.1:50051": "program", "127.0.0.1:50052": "offer", "127.0.0.1:50053": "catalogue"}


def steps() -> Iterator[tuple[list[str], list[str]]]:
    """Yield each command of the tour, as a shell splits it, and the lines of output printed with it."""
    for block in BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8")):
        for step in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            lines = step.splitlines()
            for end in range(1, len(lines) + 1):
                try:
                    words = shlex.split("\n".join(lines[:end]))
                except ValueError:
                    continue  # a quotation goes on in the next line
                yield words, lines[end:]
                break


async def output_of(words: list[str], stack: Stack) -> str:
    """Run a command of the tour against the stack."""
    path = f"{ROOT / '.tools' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    addressed = [stack.address(PORTS[word]) if word in PORTS else word for word in words]
    process = await asyncio.create_subprocess_exec(
        "env",
        f"PATH={path}",
        *addressed,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(20):
        output, _ = await process.communicate()
    return output.decode()


def assert_printed(expected: list[str], output: str) -> None:
    """Find the lines in the output, in order; `…` stands for anything."""
    rest = output.splitlines()
    for line in expected:
        if line.strip() == CUT or not line.strip():
            continue
        start = line.removesuffix(CUT) if line.endswith(CUT) else None
        at = next(
            (number for number, real in enumerate(rest) if (real.startswith(start) if start else real == line)), None
        )
        assert at is not None, f"not in the output: {line!r}\n{output}"
        rest = rest[at + 1 :]


async def test_the_tour_of_the_readme_prints_what_it_says(stack: Stack) -> None:
    tour = list(steps())
    assert len(tour) == 14
    token = ""
    for words, expected in tour:
        if words == [f"TOKEN={CUT}"]:
            continue  # the reader copies the last token printed
        output = await output_of([word.replace("$TOKEN", token) for word in words], stack)
        assert_printed(expected, output)
        if found := TOKEN.search(output):
            token = found[1]
