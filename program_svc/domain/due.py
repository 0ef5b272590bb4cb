"""When the passing of time alone has something to do with a program."""

from datetime import datetime

from program_svc.domain.program import Program, State


def next_due(program: Program) -> datetime | None:
    """Return when the next scheduled release or retirement is due, if any is."""
    times = [time for time in (release_due(program), _retirement(program)) if time is not None]
    return min(times, default=None)


def release_due(program: Program) -> datetime | None:
    """Return when the scheduled release is due, if there is one."""
    version = program.working
    if version is None or version.state is not State.SCHEDULED:
        return None
    return version.release_time


def _retirement(program: Program) -> datetime | None:
    return None if program.pending_retirement is None else program.pending_retirement.retire_time
