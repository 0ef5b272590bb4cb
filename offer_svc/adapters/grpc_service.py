"""`OfferService`: its RPCs by theme, put together. Rules are in the domain, ways in the application."""

from bus.freshness.consistency import Freshened
from bus.journal.history import History
from offer_svc.adapters.offers_service import Executing, OfferCommands
from offer_svc.adapters.quotes import Seal
from offer_svc.adapters.reads_service import OfferReads
from offer_svc.adapters.reservations_service import ReservationCommands
from offer_svc.application.commands import Offers
from offer_svc.application.erasure import Erasure
from offer_svc.application.prices import Prices
from offer_svc.application.views import OfferViews, ReservationViews


class OfferService(OfferCommands, ReservationCommands, OfferReads):
    """Answers with serialized messages, put together from stored bytes."""

    def __init__(
        self,
        offers: Offers,
        prices: Prices,
        erasure: Erasure,
        *,
        views: OfferViews,
        reservations: ReservationViews,
        history: History,
        programs: Freshened,
        seal: Seal,
    ) -> None:
        self._offers = offers
        self._executing = Executing(offers, programs)
        self._prices = prices
        self._erasure = erasure
        self._views = views
        self._reservations = reservations
        self._history = history
        self._seal = seal
