"""How many steps a plan names in words: by numbered units, or in sentences that put them in order."""

import re
import unicodedata
from functools import lru_cache
from typing import Final

from program_svc.domain.step_words import NUMBERS, ORDINALS

_SENTENCE: Final = re.compile(r"[.!?;:\u2026]\s+|\n+")
_CLAUSE: Final = re.compile(r"\s*[,\u2013\u2014]\s*")
# The article that elides before a word (`d'abord`) is no word of its own; an `and` begins nothing.
_FIRST_WORD: Final = re.compile(r"\W*(?:[a-z]['\u2019])?(?:(?:and|und|et|y|e|en)\s+)?([^\W\d_]+)")
_ORDINAL: Final = r"\d{1,3}(?:\.?[ªº]|\.|[^\W\d_]{1,4})"  # 2., 2nd, 2ème, 2.ª


def named_steps(plan: str, language: str, *, units: frozenset[str], words: frozenset[str]) -> int:
    """Return how many steps a plan names, by the words of its language; one that is named twice is one."""
    text = unicodedata.normalize("NFC", plan).lower()
    labels = len(set(_labels(units, language).findall(text))) if units else 0
    return max(labels, sum(_in_order(sentence, words) for sentence in _SENTENCE.split(text)))


def _in_order(sentence: str, words: frozenset[str]) -> int:
    """Count the ordering words at the starts of a sentence's parts, if it starts with one itself."""
    opened = [_opens(clause, words) for clause in _CLAUSE.split(sentence)]
    return sum(opened) if opened[0] else 0


def _opens(clause: str, words: frozenset[str]) -> bool:
    first = _FIRST_WORD.match(clause)
    return first is not None and first[1] in words


@lru_cache(maxsize=64)
def _labels(units: frozenset[str], language: str) -> re.Pattern[str]:
    """Return what finds units with a number behind (`step 2`, `part II`) or ahead of them (`2. Woche`, `last day`)."""
    unit = f"(?:{'|'.join(map(re.escape, sorted(units)))})"
    number = "|".join([r"\d{1,3}", "[ivx]{1,5}", *sorted(NUMBERS.get(language, ()))])
    ordinal = "|".join([_ORDINAL, *sorted(ORDINALS.get(language, ()))])
    return re.compile(rf"\b{unit}\s+(?:{number})\b|\b(?:{ordinal})\s+{unit}\b")
