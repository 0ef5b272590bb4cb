import os
import subprocess
import sys

import pytest

from tests.unit.trainingctl.prepared import platform
from trainingctl import exit_codes

COMMANDS = (
    ("status",), ("explain",), ("audit",), ("rebuild",), ("epoch", "begin"),
    ("parked", "list"), ("parked", "show"), ("parked", "retry"), ("parked", "skip"),
)  # fmt: skip


def completed(line: str) -> set[str]:
    """Return what bash would offer for a line that is being typed."""
    words = line.split(" ")
    environment = {
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(words) - 1),
        "_TRAININGCTL_COMPLETE": "complete_bash",
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PATH": os.environ["PATH"],
    }
    program = "import sys; sys.argv[0] = 'trainingctl'; from trainingctl.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    return set(done.stdout.split())


def test_a_shell_completes_commands_options_and_values() -> None:
    assert completed("trainingctl pa") == {"parked"}
    assert completed("trainingctl parked ") == {"list", "show", "retry", "skip"}
    assert {"--cause", "--source", "--yes", "--json"} <= completed("trainingctl epoch begin --")
    assert completed("trainingctl epoch begin --source ") == {"program", "offer"}
    assert completed("trainingctl rebuild --method ") == {"snapshot", "replay"}


async def test_the_help_tells_what_exit_codes_mean() -> None:
    async with platform("program", "offer", "catalogue") as whole:
        told = " ".join((await whole.run("--help")).stdout.split())
        assert exit_codes.IN_HELP in told
        for command in COMMANDS:
            helped = " ".join((await whole.run(*command, "--help")).stdout.split())
            assert "exit code is 0 " in helped, command
            assert "--json" in helped, command


@pytest.mark.parametrize(
    "command",
    [
        ("audit",),
        ("rebuild", "--cause", "a trial"),
        ("epoch", "begin", "--source", "offer", "--cause", "a trial", "--yes"),
        ("parked", "list"),
        ("parked", "show", "019a0000-0000-7000-8000-000000000001"),
    ],
)
async def test_a_service_that_does_not_answer_is_one_line_and_an_exit_code_of_its_own(command: tuple[str, ...]) -> None:
    async with platform("program", "offer", "catalogue") as whole:
        done = await whole.run(*command)
    assert done.exit_code == exit_codes.NOT_REACHABLE
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert " at 127.0.0.1:1 does not answer: UNAVAILABLE: " in done.stderr
