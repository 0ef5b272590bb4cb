"""How the program service is put together: everything by constructor, in one place."""

import asyncio

from training.program.v1.program_service_pb2_grpc import add_ProgramServiceServicer_to_server

from bus.command_service import CommandService
from chassis.logging import configure_logging
from chassis.server import Server
from program_svc.adapters.encoding import ProgramEncoding
from program_svc.adapters.grpc_service import ProgramService
from program_svc.adapters.tables import PROGRAMS
from program_svc.adapters.views import PostgresProgramViews
from program_svc.application.commands import Programs
from program_svc.policy import POLICY
from program_svc.settings import ProgramSettings


async def run(settings: ProgramSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("program", level=settings.log_level, form=settings.log_format)
    async with CommandService("program", settings) as service:
        encoding = ProgramEncoding(settings.rules())
        path = service.command_path(PROGRAMS, encoding)
        views = PostgresProgramViews(service.connections)
        programs = Programs(path, encoding, views, settings.rules())

        def add(server: Server) -> None:
            server.add(add_ProgramServiceServicer_to_server, ProgramService(programs, views))

        await service.serve(POLICY, add, stop)
        await path.drain()
