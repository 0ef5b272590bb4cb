"""Lists of words on their way into array columns.

PostgreSQL can't unnest an array of arrays of different lengths, so each list travels as one text and is split there.
Words that can't be stored so (PostgreSQL's text has no NUL) are left out, on both sides: nothing can be found by them.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import ColumnElement, bindparam, func
from sqlalchemy.types import Text

SEPARATOR: Final = "\x1f"


def storable(words: Iterable[str]) -> list[str]:
    """Return the words that a column can hold."""
    return [word for word in words if word and "\0" not in word and SEPARATOR not in word]


def joined(words: Iterable[str]) -> str:
    """Return a list as one text."""
    return SEPARATOR.join(storable(words))


def split(text: ColumnElement[str]) -> ColumnElement[list[str]]:
    """Return the SQL that makes a list of the text again."""
    return func.string_to_array(text, bindparam("separator", SEPARATOR, type_=Text()))
