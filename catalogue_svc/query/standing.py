"""What an answer says of the state that it shows: the fields `consistency_token`, `freshness` and `parked_ids`.

They have the same numbers in every response, and are written once for each state that the follower reaches.
"""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from training.type.v1.consistency_pb2 import SourceFreshness

from bus.following.parking import OpenAggregate
from bus.freshness.follower import Follower
from bus.tokens import Vector, encode
from catalogue_svc.store.reading import Versions, versions_of
from chassis.wire import field

_TOKEN: Final = 2
_FRESHNESS: Final = 3
_PARKED_IDS: Final = 15

AsOf = Mapping[str, datetime | None]


class Standing:
    """The state that the follower has reached, as answers tell it."""

    def __init__(self, follower: Follower) -> None:
        self._follower = follower
        self._generation = -1
        self._versions: Versions = []
        self._token = b""
        self._suffix = b""
        self._told = [(freshness, freshness.as_of) for freshness in follower.freshness.values()]

    @property
    def versions(self) -> Versions:
        """The versions of the checkpoints, as `store.reading` reads them."""
        if self._follower.generation != self._generation:
            self._renew()
        return self._versions

    @property
    def vector(self) -> Vector:
        """The positions reached."""
        return self._follower.vector

    def suffix(self) -> bytes:
        """Return the fields that tell the state reached."""
        if self._follower.generation != self._generation:
            self._renew()
        for freshness, as_of in self._told:
            if freshness.as_of is not as_of:
                self._renew()
                break
        return self._suffix

    def parked(self, sources: Collection[str]) -> bytes:
        """Return the field that names what is parked of these sources."""
        return parked_ids(self._follower.parked, sources) if self._follower.parked else b""

    def parked_among(self, ids: Collection[UUID]) -> bytes:
        """Return the field that names which of these ids are parked."""
        return parked_among(self._follower.parked, ids) if self._follower.parked else b""

    def as_of(self) -> AsOf:
        """Return how fresh the state reached is."""
        return self._follower.as_of()

    def _renew(self) -> None:
        if self._follower.generation != self._generation:
            self._generation = self._follower.generation
            self._versions = versions_of(self._follower.checkpoints)
            self._token = _token(self._follower.vector)
        self._told = [(freshness, freshness.as_of) for freshness in self._follower.freshness.values()]
        self._suffix = self._token + _freshness(self.as_of())


def told(vector: Vector, as_of: AsOf) -> bytes:
    """Return the fields that tell a state that was read together with entries.

    `as_of` must have been taken before the reading began: it holds for every state from then on.
    """
    return _token(vector) + _freshness(as_of)


def parked_ids(parked: Iterable[OpenAggregate], sources: Collection[str]) -> bytes:
    """Return the field that names the parked aggregates of these sources."""
    return _ids(each.aggregate_id for each in parked if each.source in sources)


def parked_among(parked: Iterable[OpenAggregate], ids: Collection[UUID]) -> bytes:
    """Return the field that names which of these ids are parked."""
    return _ids(each.aggregate_id for each in parked if each.aggregate_id in ids)


def _ids(ids: Iterable[UUID]) -> bytes:
    return b"".join(field(_PARKED_IDS, str(each).encode()) for each in sorted(ids))


def _token(vector: Vector) -> bytes:
    return field(_TOKEN, encode(vector).encode())


def _freshness(as_of: AsOf) -> bytes:
    parts = []
    for source, time in sorted(as_of.items()):
        message = SourceFreshness(source=source)
        if time is not None:
            stamp = Timestamp()
            stamp.FromDatetime(time)
            message.as_of.CopyFrom(stamp)
        parts.append(field(_FRESHNESS, message.SerializeToString()))
    return b"".join(parts)
