"""An ImportPrograms that does as it is told: it loses answers, ends streams and counts what it sees."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, TypeAlias

import grpc
import grpc.aio
from training.program.v1.program_service_pb2 import ImportProgramsRequest, ImportProgramsResponse

from chassis.embedded.ports import free_port
from tests.unit.trainingctl.rows import lines, program
from trainingctl.channel import connect, identified
from trainingctl.importing import LONGEST_SILENCE, Import
from trainingctl.kinds import PROGRAMS
from trainingctl.ledger import Ledger, Tally
from trainingctl.refused import RefusedRow
from trainingctl.rows import Reading

SERVICE: Final = "training.program.v1.ProgramService"
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"  # generic for type checkers only
Answer = Callable[[ImportProgramsRequest], Awaitable[ImportProgramsResponse | None]]


async def imported(row: ImportProgramsRequest) -> ImportProgramsResponse:
    """Answer that the row was imported."""
    return ImportProgramsResponse(row_id=row.row_id, outcome=ImportProgramsResponse.OUTCOME_IMPORTED)


class StreamEnded(Exception):
    """Ends the stream with a status."""

    def __init__(self, code: grpc.StatusCode, details: str) -> None:
        super().__init__(details)
        self.code = code
        self.details = details


class ImportService:
    """Answers each row by `answer`, in a task of its own; an answer of None is an answer that got lost."""

    def __init__(self, answer: Answer = imported) -> None:
        self.answer = answer
        self.seen: Counter[str] = Counter()
        self.unanswered = 0
        self.most_unanswered = 0
        self.streams = 0
        self.arrived = asyncio.Event()

    async def import_programs(self, requests: AsyncIterator[ImportProgramsRequest], context: Context) -> None:
        """Read rows as fast as they come."""
        self.streams += 1
        self.unanswered = 0
        ended: asyncio.Future[StreamEnded] = asyncio.get_running_loop().create_future()
        writing = asyncio.Lock()
        reading = asyncio.create_task(self._read(requests, context, writing, ended))
        either: set[asyncio.Future[Any]] = {reading, ended}
        try:
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if ended.done():
                # A status can't be sent while an answer is: nobody holds the lock, and nobody gets it again.
                await writing.acquire()
                end = ended.result()
                await context.abort(end.code, end.details)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(
        self,
        requests: AsyncIterator[ImportProgramsRequest],
        context: Context,
        writing: asyncio.Lock,
        ended: "asyncio.Future[StreamEnded]",
    ) -> None:
        async with asyncio.TaskGroup() as group:
            async for row in requests:
                self.seen[row.row_id] += 1
                self.unanswered += 1
                self.most_unanswered = max(self.most_unanswered, self.unanswered)
                self.arrived.set()
                group.create_task(self._answer(row, context, writing, ended))

    async def _answer(
        self,
        row: ImportProgramsRequest,
        context: Context,
        writing: asyncio.Lock,
        ended: "asyncio.Future[StreamEnded]",
    ) -> None:
        try:
            response = await self.answer(row)
        except StreamEnded as end:
            if not ended.done():
                ended.set_result(end)
            return
        if response is not None:
            async with writing:
                self.unanswered -= 1
                await context.write(response)


@asynccontextmanager
async def serving(service: ImportService, port: int = 0) -> AsyncIterator[str]:
    """Serve it on loopback and return its address."""
    server = grpc.aio.server(options=[("grpc.so_reuseport", 0)])
    handler = grpc.stream_stream_rpc_method_handler(
        service.import_programs,
        request_deserializer=ImportProgramsRequest.FromString,
        response_serializer=ImportProgramsResponse.SerializeToString,
    )
    methods = {"ImportPrograms": handler}
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, methods),))
    chosen = server.add_insecure_port(f"127.0.0.1:{port or free_port()}")
    await server.start()
    try:
        yield f"127.0.0.1:{chosen}"
    finally:
        await server.stop(0)


class Importer:
    """Runs one import in this process and keeps what came of it."""

    def __init__(self, folder: Path, *names: str, in_flight: int = 64, retry_for: float = 20.0) -> None:
        self.file = folder / "rows.jsonl"
        self.file.write_text(lines(*map(program, names)))
        self.in_flight = in_flight
        self.retry_for = retry_for
        self.refused: list[RefusedRow] = []
        self.ledger = Ledger(None, self.refused.append)

    @property
    def tally(self) -> Tally:
        """What has become of the rows so far."""
        return self.ledger.tally

    async def run(self, address: str, *, longest_silence: float = LONGEST_SILENCE) -> None:
        """Import the rows. Raises ImportAborted."""
        reading = Reading(PROGRAMS, [str(self.file)], lambda _: None)
        async with connect(address) as channel:
            await Import(
                lambda: PROGRAMS.open(channel, identified("importer;roles=publisher")),
                reading.rows(),
                self.ledger,
                in_flight=self.in_flight,
                retry_for=self.retry_for,
                longest_silence=longest_silence,
            ).run()
