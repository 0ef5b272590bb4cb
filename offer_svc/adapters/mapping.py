"""Offers between messages and the domain, both ways.

This module and its parts are the only place where the two meet: `mapping_requests` and `mapping_sales` (requests),
`mapping_offer`, `mapping_terms`, `mapping_schedule`, `mapping_sessions` and `mapping_reservations` (what is stored and
read), `mapping_public`, `mapping_published` and `mapping_events` (what readers are told), `mapping_records` and
`mapping_history` (what is kept for the history), `mapping_values` and `mapping_wire` (single values).
"""

from offer_svc.adapters.mapping_events import ADVANCED, event
from offer_svc.adapters.mapping_history import history_entry
from offer_svc.adapters.mapping_offer import as_written, etag, from_message, to_message
from offer_svc.adapters.mapping_public import LastingParts, published
from offer_svc.adapters.mapping_published import published_body
from offer_svc.adapters.mapping_records import record
from offer_svc.adapters.mapping_requests import (
    cancel_offer,
    close_sales,
    copy_offer,
    create_offer,
    delete_offer,
    import_offer,
    publish_offer,
    reopen_sales,
    reschedule_offer,
    schedule_sessions,
    set_capacity,
    set_price_list,
    update_offer,
)
from offer_svc.adapters.mapping_reservations import (
    named,
    price_message,
    quote_message,
    reservation_details,
    reservation_from_row,
    reservation_message,
)
from offer_svc.adapters.mapping_sales import (
    confirm_price,
    confirm_reservation,
    extend_reservation,
    join_waitlist,
    leave_waitlist,
    quote_price,
    release_reservation,
    reserve_seats,
)
from offer_svc.adapters.mapping_schedule import clash_message, trainers_of

__all__ = [
    "ADVANCED",
    "LastingParts",
    "as_written",
    "cancel_offer",
    "clash_message",
    "close_sales",
    "confirm_price",
    "confirm_reservation",
    "copy_offer",
    "create_offer",
    "delete_offer",
    "etag",
    "event",
    "extend_reservation",
    "from_message",
    "history_entry",
    "import_offer",
    "join_waitlist",
    "leave_waitlist",
    "named",
    "price_message",
    "publish_offer",
    "published",
    "published_body",
    "quote_message",
    "quote_price",
    "record",
    "release_reservation",
    "reopen_sales",
    "reschedule_offer",
    "reservation_details",
    "reservation_from_row",
    "reservation_message",
    "reserve_seats",
    "schedule_sessions",
    "set_capacity",
    "set_price_list",
    "to_message",
    "trainers_of",
    "update_offer",
]
