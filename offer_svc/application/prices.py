"""Questions about prices: they are answered from the offer as it stands, and change nothing."""

from offer_svc.application.views import OfferViews
from offer_svc.domain.context import Bounds, Context, Rules
from offer_svc.domain.pricing import ApplicablePrice
from offer_svc.domain.quote import Quote
from offer_svc.domain.quoting import ConfirmPrice, QuotePrice, present_price, quote_price


class Prices:
    """Tells prices, by the database's time."""

    def __init__(self, views: OfferViews, bounds: Bounds, rules: Rules) -> None:
        self._views = views
        self._bounds = bounds
        self._rules = rules

    async def quote(self, question: QuotePrice, principal: str) -> Quote:
        """Return the price that applies now, promised for a while. Raises the refusals of the domain."""
        offer, now = await self._views.at_present(question.offer_id)
        return quote_price(offer, question, Context(now, principal, bounds=self._bounds, rules=self._rules))

    async def confirm(self, question: ConfirmPrice, principal: str) -> ApplicablePrice | None:
        """Return the present price of what was quoted, if there is one. Raises the refusals of the domain."""
        offer, now = await self._views.at_present(question.offer_id)
        return present_price(offer, question, Context(now, principal, bounds=self._bounds, rules=self._rules))
