"""What is due without anybody's asking: releases and retirements, waiting programs, reviews of removed reviewers."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import BigInteger, Select, bindparam, exists, func, literal_column, select

from bus.commands.path import CommandCall
from chassis.postgres import Connection
from chassis.sql import Statement
from program_svc.adapters.review_rows import IS_FREE
from program_svc.adapters.tables import PROGRAM, REVIEW, REVIEWER, REVIEWER_LOAD
from program_svc.application.commands import Programs
from program_svc.domain.commands import AssignWaiting, FireRelease, FireRetirement, ReassignReviews
from program_svc.domain.reviewer import ReviewerState

_MOST: Final = bindparam("most", type_=BigInteger())


def _due() -> Select[Any]:
    return (
        select(PROGRAM.c.program_id)
        .where(PROGRAM.c.due_at <= func.clock_timestamp())
        .order_by(PROGRAM.c.due_at, PROGRAM.c.program_id)
        .limit(_MOST)
    )


def _waiting() -> Select[Any]:
    """Find the programs for which somebody is free who may review them, and how many reviews can be given in all."""
    reviewer = REVIEWER.c.reviewer_id
    takes = REVIEWER.c.max_open_reviews - REVIEWER_LOAD.c.open_reviews
    free = (
        select(REVIEWER.c.name, takes.label("takes"))
        .join_from(REVIEWER, REVIEWER_LOAD, REVIEWER_LOAD.c.reviewer_id == reviewer)
        .where(IS_FREE)
        .cte("free")
        .prefix_with("MATERIALIZED")
    )
    fitting = exists(select(literal_column("1")).select_from(free).where(free.c.name != func.all(PROGRAM.c.barred)))
    return (
        select(PROGRAM.c.program_id, select(func.sum(free.c.takes)).scalar_subquery().label("takes"))
        .where(PROGRAM.c.waiting_since.is_not(None), fitting)
        .order_by(PROGRAM.c.waiting_since, PROGRAM.c.program_id)
        .limit(_MOST)
    )


def _orphaned() -> Select[Any]:
    return (
        select(REVIEW.c.program_id)
        .join(REVIEWER, REVIEWER.c.reviewer_id == REVIEW.c.reviewer_id)
        .where(REVIEWER.c.status == literal_column(str(int(ReviewerState.REMOVED))))
        .distinct()
        .order_by(REVIEW.c.program_id)
        .limit(_MOST)
    )


_DUE: Final = Statement(_due())
_WAITING: Final = Statement(_waiting())
_ORPHANED: Final = Statement(_orphaned())


async def _programs(statement: Statement, connection: Connection, most: int) -> Sequence[UUID]:
    return [row["program_id"] for row in await statement.fetch(connection, {"most": most})]


class ScheduledChanges:
    """Releases and retires programs at their times."""

    name = "scheduled-changes"
    at_once = 4

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the programs whose time has come."""
        return await _programs(_DUE, connection, most)

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Do what is due of both: each finds out whether it is its turn, and neither keeps the other from it.

        Raises what the first of them raises, after both.
        """
        changed, failures = False, list[Exception]()
        for command in (FireRelease(aggregate_id), FireRetirement(aggregate_id)):
            try:
                changed |= (await self._programs.execute(command, call)).changed
            except Exception as failure:  # noqa: BLE001 - it is raised below
                failures.append(failure)
        if failures:
            raise failures[0]
        return changed


class WaitingReviews:
    """Gives programs that wait for reviewers those who are free, the longest waiting first.

    One is done after the other, and no more are begun than reviews can be given, or a younger one could be faster.
    What got nothing does not count: it keeps nobody from being tried.
    """

    name = "waiting-reviews"
    at_once = 1

    def __init__(self, programs: Programs) -> None:
        self._programs = programs
        self._vain: set[UUID] = set()

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the programs that can be given a reviewer."""
        rows = await _WAITING.fetch(connection, {"most": most})
        waiting = [row["program_id"] for row in rows]
        self._vain.intersection_update(waiting)
        return waiting[: len(self._vain) + rows[0]["takes"]] if rows else []

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Assign those who are free now."""
        self._vain.add(aggregate_id)
        changed = (await self._programs.execute(AssignWaiting(aggregate_id), call)).changed
        if changed:
            self._vain.discard(aggregate_id)
        return changed


class OrphanedReviews:
    """Gives the reviews of removed reviewers to others."""

    name = "orphaned-reviews"
    at_once = 4

    def __init__(self, programs: Programs) -> None:
        self._programs = programs

    async def due(self, connection: Connection, most: int) -> Sequence[UUID]:
        """Return the programs with such a review."""
        return await _programs(_ORPHANED, connection, most)

    async def perform(self, aggregate_id: UUID, call: CommandCall) -> bool:
        """Drop the removed reviewers and choose others."""
        return (await self._programs.execute(ReassignReviews(aggregate_id), call)).changed
