"""Make the virtual environment that requirements.lock describes, with nothing but Python's standard library.

Safe to call at any time: only one call works at once, and an environment whose installation was
interrupted is made anew.
The stamp, written last, is what make compares with requirements.lock and pyproject.toml.
"""

import fcntl
import os
import re
import subprocess
import sys
import venv
from importlib.util import find_spec
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
VENV: Final = ROOT / ".venv"
STAMP: Final = VENV / ".installed"
OLDEST: Final = (3, 11)
PYTHON: Final = VENV / "bin" / "python"
LOCK: Final = ROOT / "requirements.lock"
# Byte code is left to the first import: compiling everything takes longer than installing it.
QUIETLY: Final = ("--quiet", "--progress-bar", "off", "--disable-pip-version-check")
INSTALL: Final = ("install", *QUIETLY, "--no-compile", "--no-deps")
LOCKED: Final = (*INSTALL, "--require-hashes", "--only-binary", ":all:", "-r")
ELSEWHERE: Final = {"PIP_PREFIX", "PIP_TARGET", "PIP_USER", "PYTHONPATH"}
HINT: Final = """\
This Python has neither pip, ensurepip nor virtualenv, so it cannot make a virtual environment.
Install one of them, for example
    Debian, Ubuntu:  apt-get install python3-venv
    Fedora:          dnf install python3-pip
or name another interpreter:  make PYTHON=/path/to/python3"""


def main() -> None:
    """Bring the environment up to date."""
    if sys.version_info < OLDEST:
        sys.exit(f"{sys.executable} is older than Python 3.11; name another:  make PYTHON=/path/to/python3")
    with (ROOT / ".venv.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if current():
            return
        try:
            build()
        except subprocess.CalledProcessError as error:
            command = " ".join(map(str, error.cmd))
            sys.exit(f"The environment is not finished: {command} ended with {error.returncode}")


def current() -> bool:
    """Tell whether a finished environment is newer than what describes it."""
    described = max(LOCK.stat().st_mtime, (ROOT / "pyproject.toml").stat().st_mtime)
    return STAMP.exists() and STAMP.stat().st_mtime >= described


def build() -> None:
    """Install the locked pip, by it everything else, and this project last."""
    print(f"Installing {sum(1 for _ in requirements())} locked packages into {VENV.name} ...", flush=True)
    if not STAMP.exists():
        create()
    STAMP.unlink(missing_ok=True)
    run(PYTHON, "-m", "pip", *LOCKED, LOCK)
    run(PYTHON, "-m", "pip", *INSTALL, "--no-build-isolation", "--editable", ROOT)
    STAMP.touch()


def create() -> None:
    """Start an empty environment with the locked pip in it, by whichever tool this Python has."""
    if find_spec("pip") or find_spec("ensurepip"):
        venv.create(VENV, clear=True, symlinks=True, with_pip=False)
        if not find_spec("pip"):
            run(PYTHON, "-m", "ensurepip", "--default-pip")
    elif find_spec("virtualenv"):
        run(sys.executable, "-m", "virtualenv", "--quiet", "--clear", VENV)
    else:
        sys.exit(HINT)
    pip = next(block for block in requirements() if block.startswith("pip=="))
    only_pip = VENV / "pip.lock"
    only_pip.write_text(pip, encoding="utf-8")
    base = (sys.executable, "-m", "pip", "--python", PYTHON) if find_spec("pip") else (PYTHON, "-m", "pip")
    run(*base, *LOCKED, only_pip)


def requirements() -> list[str]:
    """Split the lock into one block per package: its version and its hashes."""
    return re.findall(r"^\S+==.*\n(?:[ \t].*\n)*", LOCK.read_text(encoding="utf-8"), re.MULTILINE)


def run(*command: str | Path) -> None:
    """Run a command; settings that would send packages elsewhere are set aside, those naming an index stay."""
    kept = {name: value for name, value in os.environ.items() if name not in ELSEWHERE}
    subprocess.run(command, check=True, env=kept)


if __name__ == "__main__":
    main()
