"""One stack for one data folder, and one user: what another one made is not taken over."""

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chassis.embedded import DataFolder, FolderInUse, FolderUnusable, choose_data_folder
from chassis.embedded.locks import OwnerLock

_LOCK: Final = "stack.lock"


@contextmanager
def owned_data_folder(project: Path) -> Iterator[DataFolder]:
    """Hold the data folder of a project for as long as the block runs. Raises FolderInUse, FolderUnusable."""
    # Before anything is written: a pointer left in another user's folder would lock that user out.
    _refuse_what_is_anothers(Path(os.environ.get("TRAINING_DATA_DIR") or project / ".data"))
    folder = choose_data_folder(project)
    _refuse_what_is_anothers(folder.path)
    lock = OwnerLock(folder.path / _LOCK)
    try:
        lock.acquire()
    except FolderInUse as error:
        raise FolderInUse(f"the stack runs already: {error}") from None
    except OSError as error:
        raise FolderUnusable(f"cannot use {folder.path}: {error.strerror}; set TRAINING_DATA_DIR to another") from None
    try:
        yield folder
    finally:
        lock.release()


def _refuse_what_is_anothers(folder: Path) -> None:
    """Raise FolderUnusable if another user has run a stack in the folder."""
    try:
        owner = (folder / _LOCK).stat().st_uid
    except OSError:
        return
    if owner != os.geteuid():
        message = (
            f"{folder.absolute()} holds the data of user {_name(owner)}, and you are {_name(os.geteuid())}: "
            "run it as that user, or set TRAINING_DATA_DIR to another folder"
        )
        raise FolderUnusable(message)


def _name(user: int) -> str:
    try:
        return repr(pwd.getpwuid(user).pw_name)
    except KeyError:
        return str(user)
