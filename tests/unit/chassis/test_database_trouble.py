"""Trouble with the database is told as that, by its SQLSTATE; nothing else is."""

from collections.abc import Iterator

import asyncpg
import pytest

from chassis.errors import DatabaseUnavailable
from chassis.postgres import Closed, Unreachable
from chassis.service import translate

CLASSES = ("08", "40", "53", "57", "58")
STATES = ("25006", "25P03", "25P04", "55P03")


def known(error: type[asyncpg.PostgresError] = asyncpg.PostgresError) -> Iterator[type[asyncpg.PostgresError]]:
    """Find every error of PostgreSQL that has a class."""
    for each in error.__subclasses__():
        yield each
        yield from known(each)


def test_every_error_of_the_server_is_told_by_its_sqlstate() -> None:
    told = {str(each.sqlstate): isinstance(translate(each("as it is")), DatabaseUnavailable) for each in known()}
    assert told == {state: state.startswith(CLASSES) or state in STATES for state in told}
    assert {"57014", "57P01", "53300", "08006", "40001", "23505", "22003", "42601"} <= told.keys()


@pytest.mark.parametrize("error", [Closed("lost"), Unreachable("too late")])
def test_a_lost_or_silent_connection_is_the_databases(error: Exception) -> None:
    assert isinstance(translate(error), DatabaseUnavailable)


@pytest.mark.parametrize(
    "error", [OSError("disk"), TimeoutError(), ConnectionResetError(), asyncpg.InterfaceError("?")]
)
def test_what_others_raise_is_not_told_as_the_databases(error: Exception) -> None:
    assert translate(error) is None
