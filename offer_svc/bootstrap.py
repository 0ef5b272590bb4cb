"""How the offer service is put together: everything by constructor, in one place."""

import asyncio

from training.offer.v1.offer_service_pb2_grpc import add_OfferServiceServicer_to_server
from training.program.v1.events_pb2 import ProgramEvent

from bus.command_service import CommandService
from bus.journal.history import History
from bus.read_store.read_model import ReadModel, definition_of
from chassis.logging import configure_logging
from chassis.server import Server
from offer_svc.adapters.book import PostgresBooks
from offer_svc.adapters.clashes import PostgresBookings
from offer_svc.adapters.due import DueOffers, ExpiredHolds, RetiredPrograms
from offer_svc.adapters.effects import OFFERS, merge_effects
from offer_svc.adapters.encoding import OfferEncoding, erased_in, without_participant
from offer_svc.adapters.facts import ReplicaPrograms
from offer_svc.adapters.grpc_service import OfferService
from offer_svc.adapters.names import PostgresNames
from offer_svc.adapters.published import PublishedOffers
from offer_svc.adapters.quote_key import quote_key
from offer_svc.adapters.quotes import Seal
from offer_svc.adapters.replica import ProgramReplica
from offer_svc.adapters.reservation_views import PostgresReservationViews
from offer_svc.adapters.tables import READ_MODEL, REPLICA, SHOWN
from offer_svc.adapters.views import PostgresOfferViews
from offer_svc.application.commands import Offers
from offer_svc.application.erasure import Erasure
from offer_svc.application.handler import OfferHandler
from offer_svc.application.prices import Prices
from offer_svc.policy import POLICY
from offer_svc.settings import OfferSettings


async def run(settings: OfferSettings, stop: asyncio.Event) -> None:
    """Run the service until asked to stop."""
    configure_logging("offer", level=settings.log_level, form=settings.log_format)
    bounds, rules = settings.bounds(), settings.rules()
    async with CommandService("offer", settings, OFFERS, PublishedOffers()) as service:
        connections = service.connections
        handler = OfferHandler(
            OfferEncoding(), ReplicaPrograms(), PostgresBookings(), PostgresBooks(), bounds, rules, merge_effects
        )
        path = service.command_path(OFFERS, handler)
        model = ReadModel(READ_MODEL, definition_of(REPLICA), SHOWN, {"program": ProgramReplica()})
        addresses = {"program": settings.program_source_address}
        replica = await service.subscribe(model, addresses, {"program": ProgramEvent})
        offers = Offers(path)
        views = PostgresOfferViews(connections)
        answering = OfferService(
            offers,
            Prices(views, bounds, rules),
            Erasure(offers, PostgresNames(connections, without_participant), erased_in),
            views=views,
            reservations=PostgresReservationViews(connections),
            history=History(connections),
            programs=replica.freshened,
            seal=Seal(await quote_key(connections)),
        )
        service.keep_time([DueOffers(offers, views), ExpiredHolds(offers, connections), RetiredPrograms(offers)])

        def add(server: Server) -> None:
            server.add(add_OfferServiceServicer_to_server, answering)

        await service.serve(POLICY, add, stop)
        await path.drain()
