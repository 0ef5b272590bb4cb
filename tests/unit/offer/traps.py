"""What is no value on the wire, found by reading it."""

from collections.abc import Callable

from training.offer.v1 import offer_service_pb2

from chassis.refusal import InvalidField
from offer_svc.adapters.mapping import (
    import_offer,
)
from tests.unit.offer import requests

Row = offer_service_pb2.ImportOffersRequest


def faults(request: Row) -> list[tuple[str, str]]:
    """Return the paths and rules of what is no value in a row."""
    return faults_of(lambda: import_offer(request))


def faults_of(read: Callable[[], object]) -> list[tuple[str, str]]:
    """Return the paths and rules of what is no value."""
    try:
        read()
    except InvalidField as refusal:
        return [(violation.field, violation.rule) for violation in refusal.violations]
    return []


def row(*, single: bool = False) -> Row:
    """Return a good row."""
    request = requests.row()
    if single:
        request.plan.CopyFrom(requests.single())
    assert faults(request) == []
    return request
