"""What stands in the database, compared with what must be and with what callers were told."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from bus.commands.path import CommandCall, Outcome
from bus.lanes import lane_of
from bus.tokens import decode
from tests.contract.line import Line


def call(request_id: UUID | None = None, *, fingerprint: bytes = b"f", etag: str = "") -> CommandCall:
    """Return a call of alice's."""
    return CommandCall("alice", "/test/Raise", "00-t", request_id, fingerprint, etag)


async def check_journal(line: Line) -> None:
    """Compare lanes, chain, revisions and values with what they must be."""
    for events in (await line.lane_events()).values():
        assert [seq for seq, _, _ in events] == list(range(1, len(events) + 1))
        assert [previous for _, _, previous in events] == [None, *(event_id for _, event_id, _ in events[:-1])]
    revisions: dict[UUID, list[int]] = {}
    for row in await line.commands.fetch("SELECT aggregate_id, revision, public FROM journal ORDER BY lane, seq"):
        revisions.setdefault(row["aggregate_id"], []).append(row["revision"])
        assert row["public"] == str(row["revision"]).encode()
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in revisions.values())
    assert {counter: len(numbers) for counter, numbers in revisions.items()} == await line.values()
    heads = await line.commands.fetch("SELECT lane, seq, event_id FROM lane WHERE seq > 0 ORDER BY lane")
    lasts = {lane: events[-1] for lane, events in (await line.lane_events()).items()}
    assert {row["lane"]: (row["seq"], row["event_id"]) for row in heads} == {
        lane: (seq, event_id) for lane, (seq, event_id, _) in lasts.items()
    }


async def check_told(line: Line, told: Mapping[UUID, set[Outcome]]) -> None:
    """Compare what callers were told with what stands."""
    rows = await line.commands.fetch("SELECT * FROM journal JOIN idempotency USING (request_id)")
    stored: dict[UUID, Sequence[object]] = {
        row["request_id"]: (b"raised to " + row["public"], lane_of(row["aggregate_id"]), row["seq"]) for row in rows
    }
    assert len(stored) == len(rows) == len(await line.commands.fetch("SELECT 1 FROM idempotency"))
    for request, outcomes in told.items():
        if outcomes:
            [outcome] = outcomes
            [(lane, seq)] = decode(outcome.token)["thing"].lanes.items()
            assert stored[request] == (outcome.response, lane, seq)
