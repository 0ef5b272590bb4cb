"""Bulk imports as a caller makes them who repeats the whole stream until every row has its result."""

from random import Random
from typing import Any
from uuid import UUID

import grpc.aio
from training.offer.v1 import offer_service_pb2 as offers
from training.program.v1 import program_service_pb2 as programs

from tests.faults import contents
from tests.faults.client import MANAGER, PUBLISHER, Platform, settled
from tests.faults.history import History, Outcome, Told


class Importer:
    """Imports rows; a row whose result got lost is UNCHANGED the next time."""

    def __init__(self, platform: Platform, history: History) -> None:
        self._platform = platform
        self._history = history

    async def programs(self, chance: Random, count: int) -> list[Told]:
        """Import programs."""
        ids = [contents.new_id(chance) for _ in range(count)]
        rows = [
            programs.ImportProgramsRequest(
                row_id=str(each), program_id=str(each), content=contents.content(chance), waiver=contents.WAIVER
            )
            for each in ids
        ]
        return await self._import("program", self._platform.program.ImportPrograms, rows, PUBLISHER)

    async def offers(self, chance: Random, of: list[Told]) -> list[Told]:
        """Import an offer of each program, which waits until its release has come."""
        rows = []
        for program in of:
            row = offers.ImportOffersRequest(
                offer_id=str(contents.new_id(chance)),
                definition=contents.definition(program.aggregate_id, chance),
                plan=contents.plan(chance),
                price_list=contents.prices(50),
                min_tokens=[program.token],
            )
            row.max_wait.FromSeconds(3)
            row.row_id = row.offer_id
            rows.append(row)
        return await self._import("offer", self._platform.offer.ImportOffers, rows, MANAGER)

    async def _import(self, source: str, call: Any, rows: list[Any], who: Any) -> list[Told]:  # noqa: ANN401 - of either kind
        done: dict[str, Any] = {}

        async def stream(timeout: float) -> None:  # noqa: ASYNC109 - gRPC's own timeout
            waiting = [row for row in rows if row.row_id not in done]
            async for result in call(iter(waiting), timeout=timeout, metadata=who):
                if result.outcome != result.OUTCOME_REFUSED:
                    done[result.row_id] = result
                elif result.error.code not in {4, 10, 14}:
                    self._history.wrong.append(f"import of {source} {result.row_id}: {result.error.message}")
                    done[result.row_id] = result
            if len(done) < len(rows):
                raise _unfinished()

        await settled(stream)
        told = [
            Told(source, "Import", UUID(key), None, _outcome(result), 1, result.consistency_token)
            for key, result in done.items()
        ]
        for each in told:
            self._history.add(each)
        return [each for each in told if each.outcome is not Outcome.REFUSED]


def _unfinished() -> grpc.aio.AioRpcError:
    """Return the error of a stream that ended well, but with rows that ask to be sent again."""
    empty = grpc.aio.Metadata()
    return grpc.aio.AioRpcError(grpc.StatusCode.UNAVAILABLE, empty, empty, "rows are to be sent again")


def _outcome(result: Any) -> Outcome:  # noqa: ANN401 - of either kind
    """Tell what a row came to: an unchanged row was imported by an earlier try of the same stream."""
    return Outcome.REFUSED if result.outcome == result.OUTCOME_REFUSED else Outcome.ACCEPTED
