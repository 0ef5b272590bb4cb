"""Who may call what on the offer service; what is not listed is denied."""

from typing import Final

from bus.command_service import OPERATIONS
from chassis.policy import Policy
from chassis.principal import Role

_OFFERS: Final = "/training.offer.v1.OfferService/"
_MANAGERS: Final = (Role.OFFER_MANAGER,)
_READERS: Final = (Role.OFFER_MANAGER, Role.SALES, Role.OPERATOR, Role.SERVICE)

POLICY: Final = Policy(
    {
        f"{_OFFERS}CreateOffer": _MANAGERS,
        f"{_OFFERS}SetPriceList": _MANAGERS,
        f"{_OFFERS}ScheduleSessions": _MANAGERS,
        f"{_OFFERS}PublishOffer": _MANAGERS,
        f"{_OFFERS}CancelOffer": _MANAGERS,
        f"{_OFFERS}ImportOffers": _MANAGERS,
        f"{_OFFERS}GetOffer": _READERS,
        f"{_OFFERS}ListOffers": _READERS,
        **OPERATIONS,
    }
)
