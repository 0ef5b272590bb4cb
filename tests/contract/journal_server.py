"""The JournalService of a line, served as the command services serve theirs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import grpc.aio
from training.ops.v1.journal_service_pb2_grpc import add_JournalServiceServicer_to_server

from bus.command_service import JOURNAL
from bus.journal.journal_service import JournalService
from chassis.policy import Policy
from chassis.principal import DevelopmentPrincipals
from chassis.server import Server, ServerOptions
from chassis.service import translate
from chassis.settings import Address
from tests.contract.counter import COUNTERS, PublishedCounters

if TYPE_CHECKING:
    from tests.contract.line import Line  # which has one


@asynccontextmanager
async def serving_journal(line: "Line", port: int = 0) -> AsyncIterator[grpc.aio.Channel]:
    """Serve the journal of a line's commands, at a free port unless one is given, and return a channel to it."""
    server = Server(
        ServerOptions(Address("127.0.0.1", port), access_log=False),
        policy=Policy(JOURNAL),
        principals=DevelopmentPrincipals(),
        readiness=line.commands.answer,
        translate=translate,
    )
    service = JournalService(line.commands, line.source.name, COUNTERS, PublishedCounters())
    server.add(add_JournalServiceServicer_to_server, service)
    await server.start()
    try:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            yield channel
    finally:
        await server.stop()
