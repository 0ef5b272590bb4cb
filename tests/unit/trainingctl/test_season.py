from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainingctl.season import WEEKS, Json, dated, offer_row, season_of

MONDAY = date(2026, 9, 28)


@given(st.dates(date(2000, 1, 1), date(2200, 1, 1)))
def test_every_day_lies_in_the_thirteen_weeks_of_its_season(day: date) -> None:
    season = season_of(day)
    assert season.isoweekday() == 1
    assert timedelta(0) <= day - season < timedelta(weeks=WEEKS)


@given(st.dates(date(2000, 1, 1), date(2200, 1, 1)))
def test_a_season_ends_where_the_next_one_begins(day: date) -> None:
    season = season_of(day)
    assert season_of(season + timedelta(weeks=WEEKS)) == season + timedelta(weeks=WEEKS)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<W0-1>", {"year": 2026, "month": 9, "day": 28}),
        ("<W14-2>T09:00", "2027-01-05T09:00"),
        ("<W0-7>T00:00:00Z", "2026-10-04T00:00:00Z"),
        ("from <W0-1> to <W1-1>", "from 2026-09-28 to 2026-10-05"),
        ("no day at all", "no day at all"),
        ("<W1-8>", "<W1-8>"),
        (7, 7),
        (None, None),
        ({"days": ["<W0-1>T10:00", {"last": "<W0-2>"}]},
         {"days": ["2026-09-28T10:00", {"last": {"year": 2026, "month": 9, "day": 29}}]}),
    ],
)  # fmt: skip
def test_a_named_day_becomes_a_date(value: Json, expected: Json) -> None:
    assert dated(value, MONDAY) == expected


def test_an_offer_with_dates_of_the_season_is_another_one_in_the_next_season() -> None:
    row: dict[str, Json] = {"row_id": "a", "plan": {"local_start": "<W13-1>T09:00"}}
    assert offer_row(row, MONDAY) == offer_row(row, MONDAY)
    assert offer_row(row, MONDAY)["offer_id"] != offer_row(row, MONDAY + timedelta(weeks=WEEKS))["offer_id"]


def test_an_offer_without_dates_of_the_season_stays_the_same_one() -> None:
    row: dict[str, Json] = {"row_id": "a", "plan": {"access_window": {"start_time": "2026-01-05T00:00:00Z"}}}
    assert offer_row(row, MONDAY) == offer_row(row, MONDAY + timedelta(weeks=WEEKS))
