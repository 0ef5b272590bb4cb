"""Chunks of a list, each read in one short snapshot together with what its answer says of that snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass

from catalogue_svc.query.cursor import Place
from catalogue_svc.query.listing import Entry, Listing, Question
from catalogue_svc.query.standing import Standing, told
from catalogue_svc.store.reading import VERSIONS, read_vector
from chassis.postgres import Connections


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive entries and the fields `consistency_token` and `freshness` of their snapshot."""

    entries: Sequence[Entry]
    suffix: bytes


class Reading:
    """Reads chunks."""

    def __init__(self, connections: Connections, standing: Standing) -> None:
        self._connections = connections
        self._standing = standing

    async def chunk(self, listing: Listing, question: Question, after: Place | None, most: int) -> Chunk:
        """Read at most so many entries after a place."""
        as_of = self._standing.as_of()
        async with self._connections.transaction(readonly=True, snapshot=True) as connection:
            entries = await listing.read(connection, question, after, most)
            row = await VERSIONS.fetchrow(connection)
            if row is not None and row["versions"] == self._standing.versions:
                return Chunk(entries, self._standing.suffix())
            return Chunk(entries, told(await read_vector(connection), as_of))
