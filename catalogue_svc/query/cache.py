"""Entries kept in memory for reads by id, bounded in bytes; the longest unused goes first.

Each is kept with the ids that it shows something of, so that a change to one of them removes it.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from sys import getsizeof
from typing import Final
from uuid import UUID

Key = tuple[Hashable, ...]

_ENTRY_OVERHEAD: Final = 325
"""Bytes that an entry takes beside its own, its key's and its subjects': object headers, its place (measured)."""

_SUBJECT_OVERHEAD: Final = 352
"""Bytes that an entry takes for each id that it shows something of, if no other entry does (measured)."""


def size_of(key: Key, entry: bytes, subjects: int) -> int:
    """Return the bytes that an entry takes with all that is kept for it; callers choose how long its key is."""
    of_key = getsizeof(key) + sum(map(getsizeof, key))
    return len(entry) + of_key + subjects * _SUBJECT_OVERHEAD + _ENTRY_OVERHEAD


@dataclass(frozen=True, slots=True)
class _Kept:
    entry: bytes
    subjects: frozenset[UUID]
    size: int


class EntryCache:
    """The entries. It does not know whether they are true: see `query.coherence`."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._keys: dict[UUID, set[Key]] = {}
        self.size = 0

    def __len__(self) -> int:
        """Return how many entries are kept."""
        return len(self._kept)

    def get(self, key: Key) -> bytes | None:
        """Return an entry, now the last used."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        self._kept.move_to_end(key)
        return kept.entry

    def subjects(self, key: Key) -> frozenset[UUID]:
        """Return the ids that an entry shows something of; none for one that is not kept."""
        kept = self._kept.get(key)
        return frozenset() if kept is None else kept.subjects

    def put(self, key: Key, entry: bytes, subjects: Iterable[UUID]) -> None:
        """Keep an entry that shows something of the subjects; others make room."""
        self._drop(key)
        shown = frozenset(subjects)
        self._kept[key] = kept = _Kept(entry, shown, size_of(key, entry, len(shown)))
        self.size += kept.size
        for subject in kept.subjects:
            self._keys.setdefault(subject, set()).add(key)
        while self.size > self._most:
            self._drop(next(iter(self._kept)))

    def forget(self, subjects: Iterable[UUID]) -> None:
        """Drop every entry that shows something of one of the subjects."""
        for subject in subjects:
            for key in tuple(self._keys.get(subject, ())):
                self._drop(key)

    def clear(self) -> None:
        """Drop everything."""
        self._kept.clear()
        self._keys.clear()
        self.size = 0

    def _drop(self, key: Key) -> None:
        kept = self._kept.pop(key, None)
        if kept is None:
            return
        self.size -= kept.size
        for subject in kept.subjects:
            keys = self._keys[subject]
            keys.discard(key)
            if not keys:
                del self._keys[subject]
