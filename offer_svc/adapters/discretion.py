"""What only offer managers are shown: where to join, the codes of prices, why an offer was called off."""

from training.offer.v1 import events_pb2, offer_pb2

from chassis.call import current_call
from chassis.principal import Role


def shows_all() -> bool:
    """Tell whether whoever calls is shown everything."""
    return Role.OFFER_MANAGER in current_call().principal.roles


def shown(offer: bytes) -> bytes:
    """Return an offer's stored message as whoever calls is shown it."""
    return offer if shows_all() else discreet(offer_pb2.Offer.FromString(offer)).SerializeToString()


def discreet(offer: offer_pb2.Offer) -> offer_pb2.Offer:
    """Return the offer, from which everything is taken that only offer managers are shown."""
    if offer.HasField("schedule"):
        _hide_joining(offer.schedule)
    if offer.HasField("price_list"):
        _hide_codes(offer.price_list)
    if offer.HasField("cancellation"):
        offer.cancellation.ClearField("reason")
    return offer


def discreet_entry(entry: events_pb2.HistoryEntry) -> events_pb2.HistoryEntry:
    """Return the entry, from which everything is taken that only offer managers are shown."""
    for change in entry.changes:
        match change.WhichOneof("kind"):
            case "price_list_set":
                _hide_codes(change.price_list_set.price_list)
            case "sessions_scheduled":
                _hide_joining(change.sessions_scheduled.schedule)
            case "moved":
                _hide_joining(change.moved.schedule)
            case "called_off":
                change.called_off.cancellation.ClearField("reason")
            case _:
                pass
    return entry


def _hide_joining(schedule: offer_pb2.Schedule) -> None:
    for session in schedule.sessions:
        session.ClearField("join_uri")


def _hide_codes(price_list: offer_pb2.PriceList) -> None:
    for tier in price_list.tiers:
        tier.ClearField("code")
