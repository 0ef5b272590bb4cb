import json
import logging
from collections.abc import Iterator
from typing import Any, Literal

import pytest
import structlog

from chassis.call import Call, _current
from chassis.drain import Drain
from chassis.logging import configure_logging
from chassis.principal import Principal


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def in_a_call() -> Iterator[None]:
    principal = Principal("alice", frozenset())
    call = Call("/a.B/C", principal, {"x-correlation-id": "7"}, deadline=None, drain=Drain())
    token = _current.set(call)
    yield
    _current.reset(token)


def last_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(capsys.readouterr().err.splitlines()[-1])
    return read


@pytest.mark.usefixtures("in_a_call")
def test_an_event_says_which_call_it_belongs_to(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("orchard", level="info", form="json")
    structlog.get_logger("trees").info("planted", count=3)
    line = last_line(capsys)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "planted",
        "count": 3,
        "level": "info",
        "logger": "trees",
        "service": "orchard",
        "method": "/a.B/C",
        "principal": "alice",
        "correlation_id": "7",
    }


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("orchard", level="info", form="json")
    logging.getLogger("library").warning("%s is wrong", "something")
    assert last_line(capsys)["event"] == "something is wrong"


def test_what_is_below_the_level_is_not_logged(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("orchard", level="warning", form="json")
    structlog.get_logger("trees").info("planted")
    logging.getLogger("library").info("planted")
    assert not capsys.readouterr().err


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_never_show_what_was_in_a_request(
    capsys: pytest.CaptureFixture[str], form: Literal["json", "console"]
) -> None:
    configure_logging("orchard", level="info", form=form)
    request = "the participant's " + "name"
    try:
        raise ZeroDivisionError
    except ZeroDivisionError as error:
        structlog.get_logger("trees").error("failed", exc_info=error)
    told = capsys.readouterr().err
    assert "ZeroDivisionError" in told
    assert request not in told
