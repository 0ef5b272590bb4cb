"""Change the rules of the domains one by one, and count which changes the units notice: `python tests/mutation.py`.

A rule that can be changed without a test failing is not tested. The work is done on a copy of the checkout's tracked
and new files; names of mutants as arguments (`offer_svc.domain.pricing*`) restrict it.
"""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from shutil import copyfile, rmtree
from typing import IO, Final

from rich.console import Console

ROOT: Final = Path(__file__).resolve().parent.parent
COPY: Final = ROOT / ".build" / "mutation"
MUTMUT: Final = Path(sys.executable).parent / "mutmut"
WORKERS: Final = "2"
LEAST_KILLED: Final = 0.85
_NOT_TRIED: Final = "not checked"


def main() -> int:
    """Mutate, test, and tell of each domain how many of its mutants were killed; 1 when one falls short."""
    copy()
    log = COPY / "mutmut.log"
    with log.open("w") as output:
        done = run("run", "--max-children", WORKERS, *sys.argv[1:], output=output).returncode
    console = Console()
    if done:
        console.print(f"mutmut ended with {done}; see {log.relative_to(ROOT)}", style="red")
        return done
    found = run("results", "--all", "true", output=subprocess.PIPE).stdout.splitlines()
    outcomes = [line.strip().rsplit(": ", 1) for line in found if ": " in line]
    short = False
    for domain in ("offer_svc", "program_svc"):
        counts = Counter(outcome for name, outcome in outcomes if name.startswith(domain) and outcome != _NOT_TRIED)
        total, killed = counts.total(), counts["killed"] + counts["timeout"]
        if total:
            short |= killed < LEAST_KILLED * total
            console.print(f"{domain}.domain: {killed} of {total} mutants killed ({killed / total:.1%})")
    for name, outcome in outcomes:
        if outcome not in {"killed", "timeout", _NOT_TRIED}:
            console.print(f"  {name}: {outcome}", style="dim", highlight=False)
    return int(short)


def copy() -> None:
    """Copy the files of the checkout, and nothing of an earlier run."""
    rmtree(COPY, ignore_errors=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],  # noqa: S607 - whichever git is on the PATH
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            copyfile(ROOT / name, COPY / name)


def run(*arguments: str, output: IO[str] | int) -> subprocess.CompletedProcess[str]:
    """Run mutmut in the copy, importing the copy's packages and not the installed ones."""
    environment = {**os.environ, "PYTHONPATH": ""}
    return subprocess.run([MUTMUT, *arguments], cwd=COPY, env=environment, stdout=output, text=True, check=False)


if __name__ == "__main__":
    sys.exit(main())
