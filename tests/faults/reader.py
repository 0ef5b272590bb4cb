"""Reads with tokens: what a reader was shown once, it must never be shown less of."""

from typing import Any, Final
from uuid import UUID

import grpc
import grpc.aio
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.type.v1.consistency_pb2 import AtLeastAsFresh, Consistency

from tests.faults.client import READER, Platform, settled
from tests.faults.history import History, Told

_WAIT_SECONDS: Final = 3


class TokenReader:
    """Reads single aggregates from the catalogue, and carries the token of each answer to the next question."""

    def __init__(self, platform: Platform, history: History) -> None:
        self._platform = platform
        self._history = history
        self._last = ""
        self._shown: dict[UUID, int] = {}

    async def read(self, written: Told) -> None:
        """Read what a command has made public with its token, and judge the answer."""
        known = self._shown.get(written.aggregate_id, 0)
        least = max(known, written.revision)
        tokens = [token for token in (self._last, written.token) if token]
        fresh = AtLeastAsFresh(consistency_tokens=tokens)
        fresh.max_wait.FromSeconds(_WAIT_SECONDS)
        consistency = Consistency(at_least_as_fresh=fresh)

        async def ask(timeout: float) -> Any:  # noqa: ANN401, ASYNC109 - a response of either kind; gRPC's own timeout
            if written.source == "program":
                request = pb.GetProgramRequest(program_id=str(written.aggregate_id), consistency=consistency)
                return await self._platform.catalogue.GetProgram(request, timeout=timeout, metadata=READER)
            asked = pb.GetOfferRequest(offer_id=str(written.aggregate_id), consistency=consistency)
            return await self._platform.catalogue.GetOffer(asked, timeout=timeout, metadata=READER)

        try:
            answer = await settled(ask)
        except grpc.aio.AioRpcError as error:
            self._wrong(f"a read with a token at revision {least} ended with {error.code().name}", written)
            return
        self._history.reads += 1
        entry = answer.program if written.source == "program" else answer.offer.offer
        if entry.revision < least:
            self._wrong(f"revision {entry.revision} was shown, {least} was due", written)
        self._shown[written.aggregate_id] = max(known, entry.revision)
        self._last = answer.consistency_token

    def _wrong(self, what: str, written: Told) -> None:
        self._history.wrong.append(f"{written.source} {written.aggregate_id} after {written.method}: {what}")
