"""The data folder is chosen once, explained, remembered, and never anybody else's."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from chassis.embedded import FolderUnusable, choose_data_folder, temporary_data_folder
from chassis.embedded.account import Account, server_account
from chassis.embedded.folders import POINTER, data_folder_for

# An account that the kernel is not asked to become: its way is decided by the test.
SOMEBODY = Account("somebody", 65534, 65534)


@pytest.fixture
def area() -> Iterator[Path]:
    with temporary_data_folder() as path:
        (path / "outside").mkdir(mode=0o711)
        yield path


def barred(monkeypatch: pytest.MonkeyPatch, barrier: Path) -> None:
    def reaches(_: Account, folder: Path) -> bool:
        return not folder.is_relative_to(barrier)

    monkeypatch.setattr(Account, "reaches", reaches)


def test_the_project_keeps_its_data_unless_the_environment_says_where(
    area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("TRAINING_DATA_DIR", raising=False)
    chosen = choose_data_folder(area)
    assert (chosen.path, chosen.notice) == (area / ".data", None)
    monkeypatch.setenv("TRAINING_DATA_DIR", str(area / "mine"))
    assert choose_data_folder(area).path == area / "mine"
    assert (area / "mine").is_dir()


def test_an_ordinary_user_keeps_everything_in_the_wanted_folder_however_private(area: Path) -> None:
    private = area / "private"
    private.mkdir(mode=0o700)
    assert data_folder_for(private / ".data", None, area / "outside").path == private / ".data"


def test_the_kernel_tells_what_the_account_of_root_can_reach(area: Path) -> None:
    private = area / "private"
    private.mkdir(mode=0o700)
    account = server_account()
    chosen = data_folder_for(private / ".data", account, area / "outside")
    assert (chosen.path.parent == area / "outside") == (account is not None)
    if account is not None:
        assert account.reaches(chosen.path)
        assert account.barrier(private / ".data") == private


def test_a_folder_out_of_reach_is_explained_and_its_stand_in_remembered(
    area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = area / "home" / ".data"
    barred(monkeypatch, area / "home")
    first = data_folder_for(wanted, SOMEBODY, area / "outside")
    assert first.path.parent == area / "outside"
    assert first.notice is not None
    assert all(word in first.notice for word in (str(wanted), str(first.path), str(area / "home"), "somebody"))
    barred(monkeypatch, area / "nothing")
    later = data_folder_for(wanted, SOMEBODY, area / "another")
    assert later.path == first.path


def test_a_moved_project_takes_its_data_along_and_a_copied_one_does_not(
    area: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    barred(monkeypatch, area / "home")
    first = data_folder_for(area / "home" / "a" / ".data", SOMEBODY, area / "outside")
    (area / "home" / "a").rename(area / "home" / "b")
    moved = data_folder_for(area / "home" / "b" / ".data", SOMEBODY, area / "outside")
    assert moved.path == first.path
    shutil.copytree(area / "home" / "b", area / "home" / "c")
    copied = data_folder_for(area / "home" / "c" / ".data", SOMEBODY, area / "outside")
    assert copied.path != first.path
    assert data_folder_for(area / "home" / "c" / ".data", SOMEBODY, area / "outside").path == copied.path


def test_a_stand_in_that_others_could_have_made_is_refused(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = area / "home" / ".data"
    barred(monkeypatch, area / "home")
    path = data_folder_for(wanted, SOMEBODY, area / "outside").path
    (wanted / POINTER).unlink()
    path.chmod(0o777)
    with pytest.raises(FolderUnusable, match="not a folder that only we can write to"):
        data_folder_for(wanted, SOMEBODY, area / "outside")
    shutil.rmtree(path)
    path.symlink_to(area)
    with pytest.raises(FolderUnusable, match="not a folder that only we can write to"):
        data_folder_for(wanted, SOMEBODY, area / "outside")


def test_a_folder_that_cannot_be_made_is_named(area: Path) -> None:
    (area / "file").write_text("", encoding="utf-8")
    with pytest.raises(FolderUnusable, match="cannot make the data folder"):
        data_folder_for(area / "file" / ".data", None, area / "outside")


def test_a_lent_folder_is_gone_afterwards_and_reachable_before() -> None:
    with temporary_data_folder() as path:
        account = server_account()
        assert account is None or account.reaches(path)
        assert path.stat().st_uid == os.geteuid()
    assert not path.exists()
