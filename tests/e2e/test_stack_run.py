"""`make run` starts everything, shows the way in, keeps it running, and leaves nothing behind."""

import asyncio
import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.embedded import temporary_data_folder
from chassis.settings import Address
from chassis.stack import SERVICES
from chassis.stack.readiness import serving
from tests.e2e.stack_process import READY, MakeRun, all_gone, make_run, need_grpcurl

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder("training-run-") as path:
        yield path


def outcome(run: MakeRun, call: str) -> str:
    answer = json.loads(run.paste(call))
    return str(answer.get("outcome", answer))


def test_the_printed_calls_show_the_whole_line_on_an_empty_store_and_again(folder: Path) -> None:
    need_grpcurl()
    with make_run(folder) as run:
        run.until(READY)
        program, offer, question = run.calls
        assert [outcome(run, call) for call in (program, offer)] == ["OUTCOME_IMPORTED", "OUTCOME_IMPORTED"]
        first = run.paste(question)
        assert all(words in first for words in ("Baking with sourdough", "Standard", "EUR"))
        assert [outcome(run, call) for call in (program, offer)] == ["OUTCOME_UNCHANGED", "OUTCOME_UNCHANGED"]
        assert len(json.loads(run.paste(question))["offers"]) == 1


def test_ctrl_c_stops_everything_in_order(folder: Path) -> None:
    with make_run(folder) as run:
        run.until(READY)
        family = run.family()
        run.process.send_signal(signal.SIGINT)
        assert run.ended() == 0
        assert all_gone(family, 1)
        assert run.said.endswith("Stopped.\n")
    assert "database system is shut down" in (folder / "postgres" / "log").read_text(encoding="utf-8")
    for service in SERVICES:
        assert '"event": "stopped"' in (folder / service.name / "log").read_text(encoding="utf-8")


def test_a_killed_stack_leaves_no_process_and_its_successor_finds_the_data(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    need_grpcurl()
    with make_run(folder) as run:
        cold = run.until(READY)
        assert outcome(run, run.calls[0]) == "OUTCOME_IMPORTED"
        family = run.family()
        run.process.kill()
        assert all_gone(family)
    with make_run(folder) as run:
        warm = run.until(READY)
        assert outcome(run, run.calls[0]) == "OUTCOME_UNCHANGED"
        with make_run(folder) as second:
            assert second.ended() == 69
            assert "can't start: the stack runs already" in second.said
            assert f"in use by process {run.process.pid}" in second.said
    with capsys.disabled():
        sys.stdout.write(f"\nP14, to ready: first time {cold:.1f} s, after a kill {warm:.1f} s (target 5 s)\n")


@pytest.mark.parametrize("killed", ["postgres", "nats-server", "program_svc", "offer_svc", "catalogue_svc"])
def test_whatever_crashes_is_started_again_and_everything_serves_again(folder: Path, killed: str) -> None:
    with make_run(folder) as run:
        run.until(READY)
        run.child(killed).kill()
        run.until("ended by signal 9; starting it again")
        run.until("is back")
        asyncio.run(all_serving(run))
        assert run.process.poll() is None


async def all_serving(run: MakeRun) -> None:
    """Wait until every service answers and keeps up."""
    addresses = [Address.parse(run.environment[service.variable("GRPC_ADDRESS")]) for service in SERVICES]
    names = ("", "training.freshness")
    await asyncio.gather(*(serving(each, within=30, health=name) for each in addresses for name in names))


def test_a_second_ctrl_c_kills_what_hangs(folder: Path) -> None:
    with make_run(folder) as run:
        run.until(READY)
        family = run.family()
        run.child("program_svc").suspend()
        run.child("catalogue_svc").suspend()
        run.process.send_signal(signal.SIGINT)
        run.until("Stopping")
        run.process.send_signal(signal.SIGINT)
        assert run.ended() == 130
        assert all_gone(family, 1)


def test_a_command_runs_once_all_is_ready_and_the_stack_goes_on(folder: Path) -> None:
    told = "import os; print('then', os.environ['CATALOGUE_GRPC_ADDRESS'], flush=True); raise SystemExit(3)"
    with make_run(folder, "--then", sys.executable, "-c", told) as run:
        run.until(READY)
        run.until(f"then {run.environment['CATALOGUE_GRPC_ADDRESS']}")
        run.until("ended with status 3; everything goes on running")
        assert run.process.poll() is None


def test_a_stack_that_is_to_follow_its_parent_stops_when_that_is_killed(folder: Path) -> None:
    parent = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    with make_run(folder, "--with-parent", parent=parent) as run:
        run.until("Data and logs")
        family = run.family()
        run.process.kill()
        assert all_gone(family, 25)
        run.ended()
        assert run.said.endswith("Stopped.\n")


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("PROGRAM_GRPC_ADDRESS", "nowhere", "can't start: PROGRAM_GRPC_ADDRESS: must be host:port"),
        ("CATALOGUE_NONSENSE", "1", "CATALOGUE_NONSENSE: there is no such setting"),
    ],
)
def test_a_wrong_setting_is_told_and_nothing_is_left(folder: Path, variable: str, value: str, told: str) -> None:
    with make_run(folder, variables={variable: value}) as run:
        assert run.ended() == 69
        assert told in run.said
        assert "Traceback" not in run.said


def test_a_port_in_use_is_one_clear_line(folder: Path) -> None:
    with temporary_data_folder() as other, make_run(folder) as first:
        first.until(READY)
        taken = first.environment["OFFER_METRICS_ADDRESS"]
        with make_run(other, variables={"OFFER_METRICS_ADDRESS": taken}) as second:
            assert second.ended() == 69
            expected = f"can't start: offer cannot listen at {taken}: something else does; set OFFER_METRICS_ADDRESS"
            assert second.said.splitlines()[-1].startswith(expected)
