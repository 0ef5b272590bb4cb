"""The numbers of the domain's enums as statements have them: written out, as the partial indexes are."""

from collections.abc import Iterable
from enum import IntEnum

from sqlalchemy import ColumnElement, literal_column


def number(value: IntEnum) -> ColumnElement[int]:
    """Return a value's number."""
    return literal_column(str(int(value)))


def among(column: ColumnElement[int], values: Iterable[IntEnum]) -> ColumnElement[bool]:
    """Tell whether a column has one of the values' numbers, in their order."""
    return column.in_([number(value) for value in sorted(values)])


def having(column: str, *values: IntEnum) -> ColumnElement[bool]:
    """Return the condition of a partial index: the column of its table has one of the values' numbers."""
    numbers = [str(int(value)) for value in sorted(values)]
    return literal_column(f"{column} = {numbers[0]}" if len(numbers) == 1 else f"{column} IN ({', '.join(numbers)})")
