"""Chunks of a list, each read in one short snapshot together with what its answer says of that snapshot."""

from collections.abc import Sequence
from dataclasses import dataclass

from bus.following.parking import open_parked
from catalogue_svc.query.cursor import Place
from catalogue_svc.query.listing import Entry, Listing, Question
from catalogue_svc.query.standing import Standing, parked_ids, told
from catalogue_svc.store.reading import TRIES, VERSIONS, read_vector, went_back
from chassis.postgres import Connections


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive entries and the fields that tell of their snapshot."""

    entries: Sequence[Entry]
    suffix: bytes


class Reading:
    """Reads chunks."""

    def __init__(self, connections: Connections, standing: Standing) -> None:
        self._connections = connections
        self._standing = standing

    async def chunk(self, listing: Listing, question: Question, after: Place | None, most: int) -> Chunk:
        """Read at most so many entries after a place."""
        as_of, reached = self._standing.as_of(), self._standing.vector
        tries = TRIES
        while True:
            async with self._connections.transaction(readonly=True, snapshot=True) as connection:
                entries = await listing.read(connection, question, after, most)
                row = await VERSIONS.fetchrow(connection)
                if row is not None and row["versions"] == self._standing.versions:
                    return Chunk(entries, self._standing.suffix() + self._standing.parked(listing.sources))
                parked = parked_ids(await open_parked(connection), listing.sources)
                vector = await read_vector(connection)
            tries -= 1
            if not tries or not went_back(vector, reached):
                break
        return Chunk(entries, told(vector, as_of) + parked)
