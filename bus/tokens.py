"""Positions in the sources, and the opaque consistency tokens that stand for them.

A token is the base64url form of a version byte, a serialized `TokenContents` and its CRC-32, so that a token cut or
changed on its way is refused instead of meaning something else.
"""

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID
from zlib import crc32

from google.protobuf.message import DecodeError
from training.type.v1.consistency_pb2 import LanePosition, TokenContents

from bus.lanes import LANES
from chassis.refusal import Refusal

_VERSION: Final = b"\x01"
_MAX_SEQ: Final = 2**63 - 1


class TokenMalformed(Refusal):
    """The consistency token can't be read."""

    reason = "TOKEN_MALFORMED"


@dataclass(frozen=True, slots=True)
class Position:
    """How far one source has come: the last sequence number contained, by lane, within an epoch."""

    epoch: UUID
    lanes: Mapping[int, int] = field(default_factory=dict)

    def covers(self, other: "Position") -> bool:
        """Tell whether everything up to `other` is contained; only positions of one epoch can be compared."""
        return self.epoch == other.epoch and all(self.lanes.get(lane, 0) >= seq for lane, seq in other.lanes.items())

    def merged(self, other: "Position") -> "Position":
        """Return the position that contains both; of two epochs the later one stands, since it superseded the other."""
        if self.epoch != other.epoch:
            return max(self, other, key=lambda position: position.epoch)
        lanes = dict(self.lanes)
        for lane, seq in other.lanes.items():
            lanes[lane] = max(seq, lanes.get(lane, 0))
        return Position(self.epoch, lanes)


Vector = Mapping[str, Position]
"""Positions by source name."""


def encode(vector: Vector) -> str:
    """Return the token that stands for a vector."""
    contents = TokenContents()
    for name, position in sorted(vector.items()):
        source = contents.sources.add(source=name, epoch=position.epoch.bytes)
        for lane, seq in sorted(position.lanes.items()):
            source.lanes.add(lane=lane, seq=seq)
    payload = _VERSION + contents.SerializeToString(deterministic=True)
    return urlsafe_b64encode(payload + crc32(payload).to_bytes(4)).rstrip(b"=").decode()


def decode(token: str) -> Vector:
    """Return the vector that a token stands for.

    Raises TokenMalformed for anything that `encode` did not make.
    """
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
    except (binascii.Error, ValueError) as error:
        raise TokenMalformed("the consistency token is not base64url text") from error
    payload, checksum = raw[:-4], raw[-4:]
    if len(raw) < len(_VERSION) + 4 or payload[:1] != _VERSION or crc32(payload).to_bytes(4) != checksum:
        raise TokenMalformed("the consistency token was cut or changed, or is of another version")
    try:
        contents = TokenContents.FromString(payload[1:])
        return {source.source: _position(source.epoch, source.lanes) for source in contents.sources}
    except (DecodeError, ValueError) as error:
        raise TokenMalformed("the consistency token's content can't be read") from error


def merge(vectors: Iterable[Vector]) -> Vector:
    """Return the vector that contains all of them."""
    merged: dict[str, Position] = {}
    for vector in vectors:
        for name, position in vector.items():
            merged[name] = merged[name].merged(position) if name in merged else position
    return merged


def _position(epoch: bytes, lanes: Iterable[LanePosition]) -> Position:
    position = Position(UUID(bytes=epoch), {lane.lane: lane.seq for lane in lanes})
    if any(lane >= LANES or not 0 < seq <= _MAX_SEQ for lane, seq in position.lanes.items()):
        raise ValueError("no such lane or sequence number")
    return position
