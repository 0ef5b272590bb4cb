"""Who may call what on the offer service; what is not listed is denied."""

from typing import Final

from bus.command_service import OPERATIONS
from chassis.policy import Policy
from chassis.principal import Role

_OFFERS: Final = "/training.offer.v1.OfferService/"
_READERS: Final = (Role.OFFER_MANAGER, Role.SALES, Role.OPERATOR, Role.SERVICE)

_ROLES: Final = {
    (Role.OFFER_MANAGER,): (
        "CreateOffer",
        "UpdateOffer",
        "SetPriceList",
        "ScheduleSessions",
        "RescheduleOffer",
        "SetCapacity",
        "CopyOffer",
        "PublishOffer",
        "CloseSales",
        "ReopenSales",
        "CancelOffer",
        "DeleteOffer",
        "ImportOffers",
    ),
    (Role.SALES,): (
        "QuotePrice",
        "ConfirmPrice",
        "ReserveSeats",
        "ExtendReservation",
        "ConfirmReservation",
        "ReleaseReservation",
        "JoinWaitlist",
        "LeaveWaitlist",
    ),
    (Role.OFFER_MANAGER, Role.OPERATOR): ("EraseParticipant", "ListOfferHistory"),
    _READERS: (
        "GetOffer",
        "BatchGetOffers",
        "ListOffers",
        "GetReservation",
        "ListReservations",
        "ListWaitlist",
    ),
}

POLICY: Final = Policy(
    {**{f"{_OFFERS}{method}": roles for roles, methods in _ROLES.items() for method in methods}, **OPERATIONS}
)
