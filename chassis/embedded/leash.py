"""Run a command that does not outlive its parent: `leash.py PARENT SIGNAL UID GID WATCH COMMAND [ARGUMENT...]`.

Run as a plain file (`python -I -S -E`), it imports only what it needs and then becomes the command, so the command
keeps the process id its parent knows. UID and GID are those to drop to ("-": stay). WATCH is "-" to have the kernel
send SIGNAL when the parent's thread that started us dies (Linux), or the number of a pipe's reading end: when the
parent's end closes, a small watcher process sends SIGNAL.
"""

import contextlib
import os
import select
import signal
import sys

TYPE_CHECKING = False  # the real one would cost an import at every start
if TYPE_CHECKING:
    from collections.abc import Callable

_PR_SET_PDEATHSIG = 1
_STILL_THERE_SECONDS = 1.0


def main(arguments: list[str]) -> None:
    """Drop to the account, tie the life to the parent's, become the command."""
    parent, signal_number, uid, gid, watch, *command = arguments
    # Loaded as long as we are sure to reach the interpreter's files; the account may be kept out of them.
    prctl = _prctl() if watch == "-" else None
    if uid != "-":
        os.setgroups([])
        os.setgid(int(gid))
        os.setuid(int(uid))
    # Only now: the kernel forgets a death signal when the account changes.
    if prctl is not None:
        _die_with_parent(prctl, int(signal_number))
    else:
        _watch_pipe(int(watch), int(signal_number))
    # The parent may have died before the tie was made; nothing would tell us any more.
    if os.getppid() != int(parent):
        sys.exit(1)
    # The interpreter ignores these, and what is ignored stays ignored in the command.
    for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(ignored, signal.SIG_DFL)
    try:
        os.execv(command[0], command)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.stderr.write(f"cannot run {command[0]}: {error.strerror}\n")
        sys.exit(127)


def _prctl() -> "Callable[..., int]":
    import ctypes  # noqa: PLC0415 - costs half of this program's start and is not needed by the watcher

    function: Callable[..., int] = ctypes.CDLL(None).prctl
    return function


def _die_with_parent(prctl: "Callable[..., int]", signal_number: int) -> None:
    if prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        sys.stderr.write("the kernel refuses to signal the parent's death\n")
        sys.exit(126)


def _watch_pipe(pipe: int, signal_number: int) -> None:
    """Leave a watcher behind; twice forked, so that the command does not find a child it never started."""
    command = os.getpid()
    middle = os.fork()
    if middle:
        os.close(pipe)
        os.waitpid(middle, 0)
        return
    if os.fork():
        os._exit(0)
    # What the command holds open (its lock above all) must not be held open by its watcher.
    for descriptor in os.listdir("/dev/fd"):  # noqa: PTH208 - pathlib would be the largest import here
        if int(descriptor) != pipe:
            with contextlib.suppress(OSError):
                os.close(int(descriptor))
    while not select.select([pipe], [], [], _STILL_THERE_SECONDS)[0]:
        try:
            os.kill(command, 0)
        except ProcessLookupError:
            os._exit(0)
    # A byte is the parent's word that the command has ended; an empty read is the parent's death.
    if not os.read(pipe, 1):
        with contextlib.suppress(ProcessLookupError):
            os.kill(command, signal_number)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
