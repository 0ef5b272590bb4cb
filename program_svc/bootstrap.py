"""How the program service is put together: everything by constructor, in one place."""

import asyncio

from training.program.v1.program_service_pb2_grpc import add_ProgramServiceServicer_to_server

from bus.command_service import CommandService
from chassis.logging import configure_logging
from chassis.server import Server
from program_svc.adapters.due import OrphanedReviews, ScheduledChanges, WaitingReviews
from program_svc.adapters.effects import PROGRAMS, REVIEWERS
from program_svc.adapters.encoding import ProgramEncoding, ReviewerEncoding, published_size
from program_svc.adapters.facts import PostgresFacts
from program_svc.adapters.grpc_service import ProgramService
from program_svc.adapters.program_views import PostgresProgramViews
from program_svc.adapters.published import PublishedPrograms
from program_svc.adapters.review_views import PostgresReviewViews
from program_svc.adapters.reviewer_namespace import reviewer_namespace
from program_svc.adapters.version_views import PostgresVersionViews
from program_svc.application.commands import ProgramHandler, Programs
from program_svc.application.registry import ReviewerHandler, Reviewers
from program_svc.policy import POLICY
from program_svc.settings import ProgramSettings


async def run(settings: ProgramSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("program", level=settings.log_level, form=settings.log_format)
    rules = settings.rules().measuring(published_size)
    async with CommandService("program", settings, PROGRAMS, PublishedPrograms()) as service:
        namespace = await reviewer_namespace(service.connections)
        encoding = ProgramEncoding(namespace)
        on_programs = service.command_path(PROGRAMS, ProgramHandler(encoding, PostgresFacts(), rules))
        on_reviewers = service.command_path(REVIEWERS, ReviewerHandler(ReviewerEncoding(), rules))
        timed = Programs(on_programs)
        duties = (ScheduledChanges(timed), WaitingReviews(timed), OrphanedReviews(timed))
        timekeeper = service.keep_time(duties)
        programs = Programs(on_programs, timekeeper.wake)
        reviewers = Reviewers(on_reviewers, timekeeper.wake, namespace)

        def add(server: Server) -> None:
            seen = PostgresProgramViews(service.connections)
            versions = PostgresVersionViews(service.connections, seen)
            reviews = PostgresReviewViews(service.connections, seen)
            rpcs = ProgramService(programs, reviewers, seen, versions, reviews)
            server.add(add_ProgramServiceServicer_to_server, rpcs)

        await service.serve(POLICY, add, stop)
        await on_programs.drain()
        await on_reviewers.drain()
