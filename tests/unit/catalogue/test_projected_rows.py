"""Events become rows, or say why they can't."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from uuid_utils.compat import uuid7

from bus.event import Event
from bus.following.newest import newest
from bus.following.projection import Undecodable
from catalogue_svc.projection.offers import OfferProjection
from catalogue_svc.projection.programs import ProgramProjection
from tests.integration.catalogue import samples
from tests.integration.catalogue.samples import Published


def event(published: Published) -> Event:
    aggregate_id, revision, kind, body = published
    return Event(uuid7(), 0, 1, uuid7(), None, aggregate_id, revision, kind, datetime.now(UTC), "", body)


PROGRAM = event(samples.released(samples.program(categories=["a", "bad\0word", "b"])))
OFFER = event(samples.offered(samples.offer(str(uuid4()), seats=3, taken=5)))


def test_a_type_that_is_not_known_is_projected_by_its_state() -> None:
    assert ProgramProjection().row(replace(PROGRAM, type="training.program.v1.ProgramRenamed")) is not None
    assert OfferProjection().row(replace(OFFER, type="training.offer.v9.OfferSung")) is not None


def test_a_revision_that_changed_nothing_public_is_nothing_to_write() -> None:
    assert ProgramProjection().row(replace(PROGRAM, type="training.program.v1.Advanced", body=b"")) is None
    assert OfferProjection().row(replace(OFFER, type="training.offer.v1.Advanced", body=b"")) is None


@pytest.mark.parametrize(
    "change",
    [{"body": b"\xff"}, {"body": b""}, {"revision": 99}, {"aggregate_id": UUID(int=1)}],
    ids=lambda change: next(iter(change)),
)
def test_a_body_that_is_not_what_the_headers_say_is_undecodable(change: dict[str, object]) -> None:
    with pytest.raises(Undecodable):
        ProgramProjection().row(replace(PROGRAM, **change))  # type: ignore[arg-type] # one field at a time
    with pytest.raises(Undecodable):
        OfferProjection().row(replace(OFFER, **change))  # type: ignore[arg-type] # one field at a time


def test_an_offer_without_a_start_is_undecodable() -> None:
    message = samples.offer(str(uuid4()))
    message.ClearField("start_time")
    with pytest.raises(Undecodable):
        OfferProjection().row(event(samples.offered(message)))


def test_seats_taken_beyond_capacity_leave_none_free() -> None:
    row = OfferProjection().row(OFFER)
    assert row is not None
    assert row.free_seats == 0


def test_a_row_names_the_event_that_it_is_made_of() -> None:
    assert getattr(OfferProjection().row(OFFER), "event_id", None) == OFFER.event_id
    assert getattr(ProgramProjection().row(PROGRAM), "event_id", None) == PROGRAM.event_id


def test_a_word_that_can_not_be_stored_does_not_stop_its_program() -> None:
    row = ProgramProjection().row(PROGRAM)
    assert row is not None
    assert row.categories == "a\x1fb"


@dataclass(frozen=True)
class Row:
    """Whatever is written at a revision."""

    id: UUID
    revision: int


def test_of_one_batch_the_highest_revision_of_each_id_is_written_in_order_of_ids() -> None:
    first, second = UUID(int=1), UUID(int=2)
    rows = [Row(second, 1), Row(first, 3), Row(first, 2), Row(second, 5)]
    assert newest(rows) == [Row(first, 3), Row(second, 5)]
