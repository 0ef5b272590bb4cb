"""Filling an empty copy with every event of its source's journal, lane by lane.

The journal says what a source's past is, not the stream: there what a restored source has forgotten stands still, and
what it published before the stream was last made does not.
"""

from collections.abc import AsyncGenerator
from contextlib import aclosing

from bus.following.advancing import Advancing
from bus.following.source_answers import SourceHeads
from bus.following.source_journal import JournalShort, SourceJournal


async def replay(journal: SourceJournal, copy: Advancing, heads: SourceHeads) -> AsyncGenerator[int]:
    """Apply the events up to the heads, from where the copy is; tell part by part how many.

    A lane that stops on the way is left: its checkpoint tells why. Raises JournalShort when the journal ends before the
    heads, as it does not unless the source went back; JournalTrimmed, SourceUnavailable, and RebuildNeeded when the
    epochs of a lane don't go on from each other.
    """
    for number, head in enumerate(heads.lanes):
        have = copy.checkpoint.lanes[number].seq
        async with aclosing(journal.read(number, have, head.seq)) as parts:
            async for events in parts:
                before = copy.checkpoint.lanes[number].seq
                await copy.advance(events)
                yield copy.checkpoint.lanes[number].seq - before
        lane = copy.checkpoint.lanes[number]
        if lane.stopped is None and lane.seq < head.seq:
            raise JournalShort(f"{heads.source} lane {number} ended with seq {head.seq}; its journal has {lane.seq}")
