"""Versions that a program leaves behind: they are kept, but are no part of it any more."""

from dataclasses import replace

from program_svc.domain.program import Program, State, Version


def left_behind(before: Program | None, after: Program) -> tuple[Version, ...]:
    """Return the versions that a revision left behind, as they are kept.

    The live one that another took the place of is SUPERSEDED. The working one was REJECTED before it was replaced, or
    it ended with its program: REJECTED too, though no reviewer rejected it. A deleted program leaves nothing.
    """
    if before is None or after.state is State.DELETED:
        return ()
    kept = {version.number for version in (after.live, after.working) if version is not None}
    left = []
    if before.live is not None and before.live.number not in kept:
        left.append(replace(before.live, state=State.SUPERSEDED))
    if before.working is not None and before.working.number not in kept:
        left.append(_ended(before.working))
    return tuple(left)


def _ended(version: Version) -> Version:
    if version.state is State.REJECTED:
        return version
    ended = replace(version, state=State.REJECTED, assignments=(), waiting_since=None)
    return replace(ended, release_time=None, waivers=())
