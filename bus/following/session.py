"""A copy's way along its source during one session: what arrives, what is missing, and what beacons say.

What did not come is looked for in the stream, then in the source's journal; what is found is judged and applied as if
it had arrived. A lane that lacks something which can't be had now waits, visibly, while the others go on.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import replace
from time import monotonic
from typing import Final

import structlog
from nats.aio.msg import Msg

from bus.broker import Session
from bus.event import Event, MalformedEvent, received
from bus.following.advancing import Advancing, Passed, RebuildNeeded
from bus.following.asking import Asking
from bus.following.checkpoint import LaneCheckpoint
from bus.following.choosing import stopped, unstopped
from bus.following.pull import Pull
from bus.following.repairing import still_in_stream
from bus.following.source_answers import SourceHeads
from bus.following.source_journal import JournalShort, JournalTrimmed, SourceJournal
from bus.freshness.consistency import SourceUnavailable
from bus.source import Source

_RETRY_SECONDS: Final = 1.0
_ANSWERED_SECONDS: Final = 5.0
"""How long after an answer its journal is read in turn: a source that hangs is waited for beside the way."""

_ADOPTION_SECONDS: Final = 3.0
"""How long a later epoch may be announced, with nothing coming, before the source is asked for its beginning."""

log: Final = structlog.get_logger(__name__)


class Reread(Exception):
    """The stream is to be read again from the checkpoint."""


class Announced:
    """What a beacon announced, until the stream has been taken as far as it went when the beacon was heard.

    Whatever a beacon calls published was in the stream before. Other lanes' traffic says nothing of it: what the broker
    sends first after the beacon tells how far the stream goes; what has not come up to there does not come.
    """

    def __init__(self, heads: SourceHeads, sent_before: int) -> None:
        self.heads: Final = heads
        self._sent_before = sent_before
        self._end: int | None = None

    def sent(self, pull: Pull) -> None:
        """Take in what the broker has sent since."""
        if self._end is None and pull.sent > self._sent_before:
            self._end = pull.end

    def is_due(self, pull: Pull) -> bool:
        """Tell whether everything announced must have come."""
        return self._end is not None and pull.taken >= self._end


class Following:
    """Keeps a copy on its source's way; `tell` is told why it can't, where no lane tells it."""

    def __init__(
        self,
        session: Session,
        source: Source,
        journal: SourceJournal,
        copy: Advancing,
        pull: Pull,
        *,
        passed: Passed,
        tell: Callable[[str], None],
    ) -> None:
        self._session = session
        self._source = source
        self._journal = journal
        self._copy = copy
        self._pull = pull
        self._passed = passed
        self._tell = tell
        self._announced: Announced | None = None
        self._later_since: float | None = None
        self._waiting: dict[int, int] = {}  # by lane, up to which number it waits for the source
        self._retry_at = 0.0
        self._away = False
        self._asking = Asking(journal)
        self._answered_at: float | None = None
        self._unavailable = ""

    @property
    def _lanes(self) -> tuple[LaneCheckpoint, ...]:
        return self._copy.checkpoint.lanes

    async def take(self, messages: Sequence[Msg]) -> None:
        """Apply what has arrived. Raises RebuildNeeded."""
        if self._announced is not None:
            self._announced.sent(self._pull)
        events = [self._event(message) for message in messages]
        start = 0
        while start < len(messages):
            choice = await self._copy.advance(events[start:], messages[start:])
            start += choice.taken
            if choice.gap is not None:
                await self._fill(choice.gap, messages[start].metadata.sequence.stream)

    async def hear(self, heads: SourceHeads) -> None:
        """Take in a beacon, and see to what an earlier one announced if the stream did not bring it.

        Raises RebuildNeeded.
        """
        self._look_back(heads)
        if self._copy.building and any(_is_earlier(lane, heads) for lane in self._lanes):
            raise self._superseded(heads)
        if self._announced is None:
            self._announced = Announced(heads, self._pull.sent)
        if not self._announced.is_due(self._pull):
            return
        announced, self._announced = self._announced.heads, Announced(heads, self._pull.sent)
        for number, lane in enumerate(self._lanes):
            if _lacks(lane, announced, number):
                await self._mend(number, announced.published[number])
        await self._take_over(announced)
        await self._copy.move(
            self._copy.checkpoint
        )  # of lanes that were stopped once, the store is told that they go on

    async def retry(self) -> None:
        """Try again what waits. Raises Reread when the stream has to be read again, as then it can be got on with."""
        await self._take_answer()
        if (not self._waiting and not self._copy.is_full) or monotonic() < self._retry_at:
            return
        for number, up_to in list(self._waiting.items()) if self._waiting and self._answers() else ():
            await self._retry_lane(number, up_to)
        if await self._copy.has_room():
            raise Reread("there is room for parked events again")
        self._retry_at = monotonic() + _RETRY_SECONDS

    async def close(self) -> None:
        """Ask the source nothing more."""
        await self._asking.close()

    def _answers(self) -> bool:
        """Tell whether the source has just answered; else it is asked for its heads meanwhile."""
        if self._answered_at is not None and monotonic() - self._answered_at < _ANSWERED_SECONDS:
            return True
        self._asking.ask(self._lanes)
        return False

    async def _take_answer(self) -> None:
        """Take the source's answer, if one is there."""
        try:
            answer = self._asking.answer()
        except SourceUnavailable as error:
            self._is_away(error)
            return
        if answer is not None:
            self._is_there()
            self._answered_at, self._unavailable = monotonic(), ""
            await self._stop_back(*answer)

    def _does_not_answer(self, error: SourceUnavailable) -> str:
        """Read nothing more of the source's journal until it answers; return why."""
        self._answered_at, self._unavailable = None, error.message
        return error.message

    async def _fill(self, gap: Event, sequence: int) -> None:
        """Get what did not come before an event, whose message is at a stream sequence; else let its lane wait."""
        have = self._lanes[gap.lane].seq
        found = await still_in_stream(self._session, self._source, gap, have=have, before=sequence)
        if found:
            await self._copy.advance(found)
        await self._mend(gap.lane, gap.seq - 1)

    async def _mend(self, number: int, up_to: int) -> None:
        """Get a lane's events up to a number from the source; if that can't be, the lane waits."""
        why = self._unavailable
        if not why:
            try:
                await self._read(number, up_to)
                why = "the source does not have it"
            except SourceUnavailable as error:
                why = self._does_not_answer(error)
        lane = self._lanes[number]
        if lane.seq < up_to and lane.stopped is None:
            self._waiting[number] = up_to
            self._retry_at = monotonic() + _RETRY_SECONDS
            await self._copy.move(
                stopped(self._copy.checkpoint, number, f"gap: seq {lane.seq + 1} did not come; {why}")
            )

    async def _read(self, number: int, up_to: int) -> None:
        """Apply what the source's journal has of a lane. Raises RebuildNeeded or SourceUnavailable."""
        have = self._lanes[number].seq
        try:
            async with aclosing(self._journal.read(number, have, up_to)) as parts:
                async for events in parts:
                    await self._copy.advance(events)
        except JournalTrimmed as error:
            raise RebuildNeeded(f"{self._source.name} lane {number}: seq {have + 1} did not come; {error}") from error
        except JournalShort:
            await self._stop_back(await self._journal.heads(), self._lanes)
        found = self._lanes[number].seq - have
        if found:
            log.warning("projector_lane_mended", source=self._source.name, lane=number, after=have, events=found)

    async def _retry_lane(self, number: int, up_to: int) -> None:
        waiting = self._copy.checkpoint
        self._copy.checkpoint = unstopped(waiting, number)
        try:
            await self._read(number, up_to)
        except SourceUnavailable as error:
            why = self._does_not_answer(error)
            log.info("projector_lane_waits", source=self._source.name, lane=number, reason=why)
        lane = self._lanes[number]
        if lane.seq >= up_to or lane.stopped is not None:
            raise Reread(f"lane {number} has what it lacked")
        again = stopped(self._copy.checkpoint, number, waiting.lanes[number].stopped or "")
        if self._copy.checkpoint.version != waiting.version:
            await self._copy.move(again)
        self._copy.checkpoint = replace(again, version=self._copy.checkpoint.version)

    def _look_back(self, heads: SourceHeads) -> None:
        """Have the source asked where it has less than was applied; a beacon may be late."""
        if any(_went_back(lane, head) for lane, head in zip(self._lanes, heads.lanes, strict=True)):
            self._asking.ask(self._lanes)

    async def _stop_back(self, heads: SourceHeads, lanes: Sequence[LaneCheckpoint]) -> None:
        """Stop the lanes of which the source has less than was applied when it was asked."""
        for number, (lane, head) in enumerate(zip(lanes, heads.lanes, strict=True)):
            if _went_back(lane, head) and self._lanes[number].stopped is None:
                reason = (
                    f"the source went back: it ends with seq {head.seq}, event {head.event_id}; "
                    f"seq {lane.seq}, event {lane.event_id}, was applied"
                )
                await self._copy.move(stopped(self._copy.checkpoint, number, reason))

    async def _take_over(self, announced: SourceHeads) -> None:
        """See to the lanes whose source has been in a later epoch for a while, and which no message brought there."""
        earlier = [number for number, lane in enumerate(self._lanes) if _is_earlier(lane, announced)]
        if not earlier:
            self._later_since = None
            return
        now = monotonic()
        self._later_since = self._later_since or now
        if now - self._later_since < _ADOPTION_SECONDS or not self._answers():
            return
        for number in earlier:
            try:
                await self._read(number, announced.lanes[number].seq)
            except SourceUnavailable as error:
                self._does_not_answer(error)
                self._is_away(error)
                return
            if _is_earlier(self._lanes[number], announced):
                raise self._superseded(announced)

    def _is_away(self, error: SourceUnavailable) -> None:
        self._away = True
        self._tell(error.message)

    def _is_there(self) -> None:
        if self._away:
            self._away = False
            self._tell("")

    def _superseded(self, heads: SourceHeads) -> RebuildNeeded:
        return RebuildNeeded(
            f"{self._source.name} is in epoch {heads.epoch}, the copy in {self._copy.checkpoint.epoch}"
        )

    def _event(self, message: Msg) -> Event | None:
        """Return the event that a message carries; None when it carries none of the source, and is passed by."""
        try:
            return received(message.subject, message.headers, message.data, self._source)
        except MalformedEvent as error:
            self._passed.foreign += 1
            log.warning("message_not_of_source", source=self._source.name, subject=message.subject, reason=str(error))
            return None


def _lacks(lane: LaneCheckpoint, announced: SourceHeads, number: int) -> bool:
    """Tell whether a lane that goes on lacks what its source has published, in the same epoch."""
    return lane.stopped is None and lane.epoch in {None, announced.epoch} and announced.published[number] > lane.seq


def _is_earlier(lane: LaneCheckpoint, heads: SourceHeads) -> bool:
    """Tell whether a lane has begun, in an earlier epoch than its source is in."""
    return lane.epoch is not None and lane.epoch < heads.epoch


def _went_back(lane: LaneCheckpoint, head: LaneCheckpoint) -> bool:
    """Tell whether a source has less of a lane than was applied, or another event in its place."""
    if lane.stopped is not None or lane.epoch != head.epoch or not lane.seq:
        return False
    return head.seq < lane.seq or (head.seq == lane.seq and head.event_id != lane.event_id)
