"""How the offer service is put together: everything by constructor, in one place."""

import asyncio

from training.offer.v1.offer_service_pb2_grpc import add_OfferServiceServicer_to_server

from bus.command_service import CommandService
from chassis.logging import configure_logging
from chassis.server import Server
from offer_svc.adapters.clashes import PostgresBookings
from offer_svc.adapters.effects import OFFERS
from offer_svc.adapters.encoding import OfferEncoding
from offer_svc.adapters.facts import ReplicaPrograms
from offer_svc.adapters.grpc_service import OfferService
from offer_svc.adapters.replica import ProgramReplica
from offer_svc.adapters.views import PostgresOfferViews
from offer_svc.application.commands import Offers
from offer_svc.policy import POLICY
from offer_svc.settings import OfferSettings


async def run(settings: OfferSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("offer", level=settings.log_level, form=settings.log_format)
    async with CommandService("offer", settings) as service:
        encoding = OfferEncoding()
        path = service.command_path(OFFERS, encoding)
        replica = service.subscribe("program", ProgramReplica())
        offers = Offers(path, encoding, ReplicaPrograms(), PostgresBookings(), settings.bounds())
        views = PostgresOfferViews(service.connections)

        def add(server: Server) -> None:
            server.add(add_OfferServiceServicer_to_server, OfferService(offers, views, replica.freshened))

        await service.serve(POLICY, add, stop)
        await path.drain()
