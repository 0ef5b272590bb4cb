"""Keeping the cache true.

Invariant: whenever other code of the event loop runs, every entry in the cache is byte for byte what the database shows
at the state that the follower has reached (`Standing`), and that state is what the answer's token says. So a cached
answer is never older and never newer than its token, and a reader who presents that token elsewhere never goes back.

Why it holds:

1. Readers' data changes only in transactions that also raise a checkpoint's version and record each changed id at the
   next position of the change feed. Equal versions in two snapshots therefore mean equal data.
2. The follower reaches a new state in one snapshot: it reads the checkpoints, and `advance` reads in the same snapshot
   the ids changed since the position it knew. It then drops what they touch and the follower takes on the new versions,
   with no `await` between: nobody sees one alone. An untouched entry is the same in both states.
3. A fill is kept only if the versions read in the statement that read the entry are the ones the follower has reached
   when the fill is kept (again without an `await` between). A fill that raced a change carries other versions, older or
   newer, and is answered but not kept.
4. Positions have no gaps. Fewer rows than positions (a trimmed feed), too many of them, a position that went back or
   another store (`incarnation`) clear the cache.
"""

from typing import Final
from uuid import UUID

from catalogue_svc.query.cache import EntryCache
from catalogue_svc.store.changes import FED
from chassis.postgres import Connection

MOST_CHANGES: Final = 20_000
"""More changes at once than this are not looked at one by one."""


class Coherence:
    """Drops from the cache what has changed; its `advance` is the follower's hook."""

    def __init__(self, cache: EntryCache, most: int = MOST_CHANGES) -> None:
        self._cache = cache
        self._most = most
        self._incarnation: UUID | None = None
        self._position = 0

    async def advance(self, connection: Connection) -> None:
        """Bring the cache to the connection's snapshot."""
        fed = await FED.fetchrow(connection, {"known": self._position, "most": self._most})
        if fed is None:
            raise LookupError("the change feed has no row: the read model was not set up")
        changed: list[UUID] | None = None
        ahead = fed["position"] - self._position
        if fed["incarnation"] == self._incarnation and 0 <= ahead <= self._most and len(fed["changed"]) == ahead:
            changed = fed["changed"]
        # No await from here on.
        if changed is None:
            self._cache.clear()
        else:
            self._cache.forget(changed)
        self._incarnation, self._position = fed["incarnation"], fed["position"]
