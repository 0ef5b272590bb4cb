"""The judge: compares what callers were told with the journals, those with the streams, and these with the read stores.

It knows the contract (ids, lanes, revisions, the messages of the protos) and none of the services' code.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from uuid import UUID
from zlib import crc32

from training.catalogue.v1.entries_pb2 import ProgramEntry
from training.offer.v1.events_pb2 import OfferEvent, PublishedOffer
from training.program.v1.events_pb2 import ProgramEvent, PublishedProgram
from training.program.v1.program_pb2 import Program

from tests.faults.evidence import SOURCES, Entry, Evidence
from tests.faults.history import Outcome, Told

_LANES = 16


def judge(evidence: Evidence, told: Sequence[Told], *, all_known: bool = True) -> list[str]:
    """Return everything that is wrong; `all_known` says that nobody else has written than those who told."""
    wrong: list[str] = []
    for source in SOURCES:
        journal = evidence.journal[source]
        wrong += (f"{source} journal: {each}" for each in lanes(journal))
        wrong += (f"{source} journal: {each}" for each in revisions(journal, evidence.aggregates[source]))
        wrong += (f"{source} stream: {each}" for each in same_order(journal, evidence.stream[source]))
        of_source = [each for each in told if each.source == source]
        wrong += (f"{source}: {each}" for each in outcomes(evidence.requests[source], of_source, all_known=all_known))
    programs = published_programs(evidence.journal["program"])
    wrong += (f"catalogue: {each}" for each in catalogue_programs(programs, evidence.programs))
    wrong += (f"catalogue: {each}" for each in catalogue_offers(evidence, programs))
    wrong += (f"replica: {each}" for each in replica(programs, evidence.replica))
    return wrong


def lanes(journal: Iterable[Entry]) -> Iterator[str]:
    """Check that each lane counts from 1 without gaps, and that each event names the one before it.

    An epoch begins with an event of its own in each lane, and numbering goes on.
    """
    by_lane: dict[int, list[Entry]] = defaultdict(list)
    for entry in journal:
        by_lane[entry.lane].append(entry)
        if not entry.starts_epoch and crc32(entry.aggregate_id.bytes) % _LANES != entry.lane:
            yield f"{entry.aggregate_id} is in lane {entry.lane}"
    for lane, entries in by_lane.items():
        if [entry.seq for entry in entries] != list(range(1, len(entries) + 1)):
            yield f"lane {lane} has a gap"
        if entries[0].previous is not None:
            yield f"lane {lane} begins after {entries[0].previous}"
        for before, after in pairwise(entries):
            in_place = after.epoch > before.epoch if after.starts_epoch else after.epoch == before.epoch
            if after.previous != before.event_id or not in_place:
                yield f"lane {lane}: {after.seq} does not follow {before.seq}"


def revisions(journal: Iterable[Entry], aggregates: dict[UUID, int]) -> Iterator[str]:
    """Check that revisions count from 1 in the order of the lane, and that each row stands at the last."""
    last: dict[UUID, int] = defaultdict(int)
    for entry in journal:
        if entry.starts_epoch:
            if (entry.aggregate_id, entry.revision) != (entry.epoch, entry.lane + 1):
                yield f"lane {entry.lane} begins an epoch as revision {entry.revision} of {entry.aggregate_id}"
            continue
        if entry.revision != last[entry.aggregate_id] + 1:
            yield f"{entry.aggregate_id}: revision {entry.revision} follows {last[entry.aggregate_id]}"
        last[entry.aggregate_id] = entry.revision
    if dict(last) != aggregates:
        differing = [str(key) for key in last.keys() | aggregates.keys() if last.get(key) != aggregates.get(key)]
        yield f"rows that are not at their last revision: {differing[:5]}"


def same_order(journal: Sequence[Entry], stream: Sequence[Entry]) -> Iterator[str]:
    """Check that the stream has exactly the journal's events, each once, each lane in order."""
    doubled = [event for event, count in Counter(entry.event_id for entry in stream).items() if count > 1]
    if doubled:
        yield f"{len(doubled)} events came twice, such as {doubled[0]}"
    for lane in range(_LANES):
        recorded = [entry for entry in journal if entry.lane == lane]
        streamed = [entry for entry in stream if entry.lane == lane]
        if recorded == streamed:
            continue
        at = next((n for n, (a, b) in enumerate(zip(recorded, streamed, strict=False)) if a != b), "the end")
        yield f"lane {lane} is not the journal's: {len(streamed)} of {len(recorded)} events, differing at {at}"


def outcomes(
    recorded: Sequence[tuple[UUID | None, UUID, int]], told: Iterable[Told], *, all_known: bool
) -> Iterator[str]:
    """Check that accepted commands are recorded once and as told, refused ones never, unknown ones at most once."""
    by_request: dict[UUID, list[tuple[UUID, int]]] = defaultdict(list)
    imported: dict[UUID, int] = {}
    for request_id, aggregate_id, revision in recorded:
        if request_id is not None:
            by_request[request_id].append((aggregate_id, revision))
        else:
            imported[aggregate_id] = revision
    for each in told:
        name = f"{each.method} {each.request_id or each.aggregate_id}"
        if each.request_id is None:
            if imported.pop(each.aggregate_id, None) != each.revision and each.outcome is Outcome.ACCEPTED:
                yield f"{name} was accepted and is not recorded"
            continue
        found = by_request.pop(each.request_id, [])
        if each.outcome is Outcome.ACCEPTED and found != [(each.aggregate_id, each.revision)]:
            yield f"{name} was accepted as revision {each.revision} and is recorded as {found}"
        if each.outcome is Outcome.REFUSED and found:
            yield f"{name} was refused and is recorded as {found}"
        if len(found) > 1:
            yield f"{name} is recorded {len(found)} times"
    if all_known and (by_request or imported):
        yield f"{len(by_request) + len(imported)} commands are recorded that nobody sent"


def published_programs(journal: Iterable[Entry]) -> dict[UUID, PublishedProgram]:
    """Fold the public states of programs."""
    events = ((entry.aggregate_id, ProgramEvent.FromString(entry.body)) for entry in _with_state(journal))
    return {aggregate_id: event.program for aggregate_id, event in events}


def published_offers(journal: Iterable[Entry]) -> dict[UUID, PublishedOffer]:
    """Fold the public states of offers."""
    events = ((entry.aggregate_id, OfferEvent.FromString(entry.body)) for entry in _with_state(journal))
    return {aggregate_id: event.offer for aggregate_id, event in events}


def _with_state(journal: Iterable[Entry]) -> Iterator[Entry]:
    return (entry for entry in journal if entry.body and not entry.starts_epoch)


def catalogue_programs(expected: dict[UUID, PublishedProgram], shown: dict[UUID, ProgramEntry]) -> Iterator[str]:
    """Check that the catalogue shows every published program in its last public state, and no other."""
    yield from _ids("program", expected.keys(), shown.keys())
    for program_id in expected.keys() & shown.keys():
        if shown[program_id] != entry_of(expected[program_id]):
            yield f"program {program_id} is not shown as published"


def catalogue_offers(evidence: Evidence, programs: dict[UUID, PublishedProgram]) -> Iterator[str]:
    """Check that it shows every published offer in its last public state with its program's card, and no other."""
    expected = published_offers(evidence.journal["offer"])
    shown = evidence.offers
    yield from _ids("offer", expected.keys(), shown.keys())
    for offer_id in expected.keys() & shown.keys():
        program = programs.get(UUID(expected[offer_id].program_id))
        if shown[offer_id].offer != expected[offer_id]:
            yield f"offer {offer_id} is not shown as published"
        if program is None or shown[offer_id].program != _card(entry_of(program)):
            yield f"offer {offer_id} does not come with its program's card"


def replica(programs: dict[UUID, PublishedProgram], kept: dict[UUID, tuple[int, int]]) -> Iterator[str]:
    """Check that the replica of the offer service holds every published program at its last public revision."""
    expected = {program_id: (each.revision, int(each.state)) for program_id, each in programs.items()}
    yield from _ids("program", expected.keys(), kept.keys())
    for program_id in expected.keys() & kept.keys():
        if expected[program_id] != kept[program_id]:
            yield f"program {program_id} is kept as {kept[program_id]}, published as {expected[program_id]}"


def entry_of(program: PublishedProgram) -> ProgramEntry:
    """Return the full entry of a program in its base language."""
    content, entry = program.content, ProgramEntry()
    names = {field.name for field in ProgramEntry.DESCRIPTOR.fields}
    for message in (content, program):
        for field, value in message.ListFields():
            if field.name not in names:
                continue
            if isinstance(value, str | int | float | bytes):
                setattr(entry, field.name, value)
            elif hasattr(value, "MergeFrom") and not hasattr(value, "__len__"):
                getattr(entry, field.name).CopyFrom(value)
            else:
                getattr(entry, field.name).extend(value)
    codes = (content.language_code, *(text.language_code for text in content.localizations))
    entry.available_language_codes.extend(codes)
    assert entry.state in {Program.STATE_RELEASED, Program.STATE_RETIRED}
    return entry


def _card(entry: ProgramEntry) -> ProgramEntry:
    for name in ("description", "agenda", "plan", "learning_outcomes", "audience", "prerequisites"):
        entry.ClearField(name)
    return entry


def _ids(kind: str, expected: Iterable[UUID], shown: Iterable[UUID]) -> Iterator[str]:
    missing, extra = set(expected) - set(shown), set(shown) - set(expected)
    if missing or extra:
        yield f"{len(missing)} {kind}s are missing and {len(extra)} should not be there: {[*missing, *extra][:3]}"
