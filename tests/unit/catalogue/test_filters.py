"""Filters become conditions that are compiled once and values that can't break anything."""

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from hypothesis import given
from hypothesis import strategies as st
from training.catalogue.v1.catalogue_service_pb2 import OfferFilter, ProgramFilter
from training.type.v1.vocabulary_pb2 import DELIVERY_MODE_ONLINE, LEVEL_EXPERT

from catalogue_svc.query.filters import instant, offer_filter, program_filter
from catalogue_svc.query.listing import offer_page, program_page
from chassis.refusal import InvalidField

LAST = 253_402_300_799


def test_offers_that_have_ended_are_left_out_unless_asked_for() -> None:
    assert offer_filter(OfferFilter()).shape == ("not_ended",)
    assert offer_filter(OfferFilter(include_ended=True)).shape == ()
    assert "offer.state = 2" in offer_page(("not_ended",), full=False, resumed=False).text


def test_an_offer_whose_program_is_not_there_is_never_listed() -> None:
    assert "EXISTS" in offer_page((), full=False, resumed=False).text


def test_one_shape_is_compiled_once() -> None:
    shape = offer_filter(OfferFilter(min_free_seats=1, program=ProgramFilter(tags=["a"]))).shape
    again = offer_filter(OfferFilter(min_free_seats=9, program=ProgramFilter(tags=["b", "c"]))).shape
    assert offer_page(shape, full=True, resumed=True) is offer_page(again, full=True, resumed=True)


def test_every_value_is_a_parameter_of_its_statement() -> None:
    asked = OfferFilter(
        program_ids=["01940000-0000-7000-8000-000000000001"],
        program=ProgramFilter(categories=["a"], levels=[LEVEL_EXPERT], language_codes=["EN"], tags=["t"]),
        modes=[DELIVERY_MODE_ONLINE],
        language_codes=["de-AT"],
        start=Interval(start_time=Timestamp(seconds=1), end_time=Timestamp(seconds=2)),
        min_free_seats=2,
    )
    found = offer_filter(asked)
    assert set(found.values) <= set(offer_page(found.shape, full=False, resumed=False).parameters)
    of_program = program_filter(asked.program)
    assert set(of_program.values) <= set(program_page(of_program.shape, full=False, resumed=False).parameters)
    assert found.values["offer_languages"] == ["de-at"]


def test_words_that_can_not_be_stored_find_nothing_instead_of_failing() -> None:
    assert program_filter(ProgramFilter(categories=["a\0b", "\x1f"], tags=[""])).values == {
        "categories": [],
        "tags": [],
    }


@pytest.mark.parametrize(
    "interval",
    [
        Interval(start_time=Timestamp(seconds=LAST + 1)),
        Interval(end_time=Timestamp(seconds=-(2**63))),
        Interval(start_time=Timestamp(seconds=1, nanos=-1)),
        Interval(end_time=Timestamp(seconds=1, nanos=1_000_000_000)),
        Interval(start_time=Timestamp(seconds=2), end_time=Timestamp(seconds=1)),
        Interval(start_time=Timestamp(seconds=1, nanos=2), end_time=Timestamp(seconds=1, nanos=1)),
    ],
)
def test_an_interval_that_can_not_be_is_refused_with_its_field(interval: Interval) -> None:
    with pytest.raises(InvalidField) as refused:
        offer_filter(OfferFilter(start=interval))
    assert refused.value.violations[0].field.startswith("filter.start")


@given(st.integers(-62_135_596_800, LAST), st.integers(0, 999_999_999))
def test_an_instant_is_the_first_microsecond_that_is_not_before(seconds: int, nanos: int) -> None:
    found = instant("x", Timestamp(seconds=seconds, nanos=nanos)) - datetime(1970, 1, 1, tzinfo=UTC)
    exact = seconds * 10**9 + nanos
    rounded = found // timedelta(microseconds=1) * 1000
    assert 0 <= rounded - exact < 1000 or (seconds == LAST and nanos > 999_999_000)
