"""The lanes: 16 gapless sequences per source, and the one to which an aggregate belongs for ever."""

from typing import Final
from uuid import UUID
from zlib import crc32

LANES: Final = 16


def lane_of(aggregate_id: UUID) -> int:
    """Return the aggregate's lane: CRC-32 (ISO-HDLC) of the id's 16 bytes, modulo the number of lanes."""
    return crc32(aggregate_id.bytes) % LANES
