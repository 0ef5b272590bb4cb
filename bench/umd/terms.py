"""The dates of the terms, which the source does not tell, moved to where offers can still be sold."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

TODAY: Final = date(2026, 11, 24)
"""The day after which the terms are put unless another one is given: the same input makes the same rows."""


@dataclass(frozen=True, slots=True)
class Term:
    """A term from its first to its last day, both of them included."""

    first: date
    last: date

    def after(self, today: date) -> "Term":
        """Return the term moved by the smallest whole number of years with which it begins after `today`."""
        years = max(0, today.year - self.first.year)
        while (moved := self._moved(years)).first <= today:
            years += 1
        return moved

    def _moved(self, years: int) -> "Term":
        # No term of the table touches the 29th of February.
        return Term(
            self.first.replace(year=self.first.year + years),
            self.last.replace(year=self.last.year + years),
        )


TERMS: Final[Mapping[str, Term]] = {
    # Winter terms are named for the December before them and last three weeks.
    "201712": Term(date(2018, 1, 2), date(2018, 1, 22)),
    "201812": Term(date(2019, 1, 2), date(2019, 1, 22)),
    "201912": Term(date(2020, 1, 2), date(2020, 1, 22)),
    # Summer terms are named for May and last twelve weeks.
    "201805": Term(date(2018, 5, 29), date(2018, 8, 17)),
    "201905": Term(date(2019, 5, 28), date(2019, 8, 16)),
    "202005": Term(date(2020, 6, 1), date(2020, 8, 21)),
}
