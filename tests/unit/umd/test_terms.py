from datetime import date

import pytest

from bench.umd.terms import TERMS, TODAY, Term

WINTER = Term(date(2018, 1, 2), date(2018, 1, 22))


@pytest.mark.parametrize(
    ("today", "year"),
    [
        (date(2017, 12, 31), 2018),
        (date(2018, 1, 1), 2018),
        (date(2018, 1, 2), 2019),
        (date(2026, 1, 1), 2026),
        (date(2026, 1, 2), 2027),
        (date(2026, 11, 24), 2027),
        (date(2028, 2, 29), 2029),
    ],
)
def test_a_term_moves_by_the_fewest_years_with_which_it_begins_after_the_day(today: date, year: int) -> None:
    assert WINTER.after(today) == Term(date(year, 1, 2), date(year, 1, 22))


def test_every_term_keeps_its_days_and_begins_within_a_year_after_the_fixed_day() -> None:
    for term in TERMS.values():
        moved = term.after(TODAY)
        assert TODAY < moved.first <= TODAY.replace(year=TODAY.year + 1)
        assert (moved.first.month, moved.first.day) == (term.first.month, term.first.day)
        assert (moved.last.month, moved.last.day) == (term.last.month, term.last.day)
        assert moved.last.year == moved.first.year
