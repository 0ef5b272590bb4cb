"""`make run` is the same for an ordinary user, and no user takes over what another one made."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.embedded import temporary_data_folder
from chassis.embedded.account import server_account
from tests.e2e.stack_process import READY, all_gone, free_space_for, make_run
from tests.integration.test_embedded_life import python_for

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def folder() -> Iterator[Path]:
    with temporary_data_folder("training-run-") as path:
        yield path


def test_an_ordinary_user_runs_all_of_it_owns_all_of_it_and_leaves_nothing_running(folder: Path) -> None:
    account = server_account()
    home = free_space_for(account, folder)
    with make_run(home, python=python_for(account), user=account, variables={"HOME": str(home)}) as run:
        run.until(READY)
        owner = home.stat().st_uid
        assert {path.stat().st_uid for path in home.rglob("*")} == {owner}
        family = run.family()
        assert {process.uids().effective for process in family} == {owner}
        run.process.kill()
        assert all_gone(family)
    if owner != os.geteuid():
        with make_run(home) as run:
            assert run.ended() == 69
            assert run.said.startswith(f"can't start: {home} holds the data of user 'nobody', and you are 'root'")
        assert not (home / "elsewhere").exists()
