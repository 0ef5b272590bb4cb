from datetime import timedelta

from training.ops.v1.operations_service_pb2 import GetStatusResponse

from trainingctl.status_lines import Line, lines


def status() -> GetStatusResponse:
    """Return the status of a service that has a journal and follows a source, all of it well."""
    told = GetStatusResponse(service="offer")
    told.time.FromSeconds(1_000_000)
    told.journal.source, told.journal.relay_leader = "offer", "offer-1"
    told.journal.lanes.add(lane=0, committed=10, published=10)
    told.journal.lanes.add(lane=1, committed=7, published=7)
    copy = told.subscriptions.add(source="program", projector_leader="offer-1")
    copy.as_of.FromSeconds(999_999)
    copy.lanes.add(lane=0, committed=5, published=5, applied=5)
    return told


def whole(told: GetStatusResponse) -> tuple[Line, Line]:
    journal, copy = lines(told, by_lane=False)
    return journal, copy


def test_each_source_is_one_line_with_the_sums_of_its_lanes() -> None:
    journal, copy = whole(status())
    assert (journal.source, journal.committed, journal.published, journal.behind, journal.leader) == (
        "offer", 17, 17, 0, "offer-1",
    )  # fmt: skip
    assert (copy.source, copy.applied, copy.behind, copy.age) == ("program", 5, 0, timedelta(seconds=1))
    assert journal.fresh
    assert copy.fresh


def test_every_lane_is_a_line_when_asked_for() -> None:
    found = lines(status(), by_lane=True)
    assert [(line.part, line.lane) for line in found] == [
        ("journal", None), ("journal", 0), ("journal", 1), ("copy", None), ("copy", 0),
    ]  # fmt: skip


def test_a_stopped_lane_is_trouble_and_not_fresh() -> None:
    told = status()
    told.subscriptions[0].lanes[0].stopped_reason = "gap after 4"
    _, copy = whole(told)
    assert copy.trouble == "lane 0 stopped: gap after 4"
    assert not copy.fresh


def test_lanes_that_stopped_for_one_reason_are_told_together() -> None:
    told = status()
    for known in told.journal.lanes:
        known.stopped_reason = "superseded"
    assert whole(told)[0].trouble == "lanes 0, 1 stopped: superseded"
    for lane in range(2, 16):
        told.journal.lanes.add(lane=lane, stopped_reason="superseded")
    assert whole(told)[0].trouble == "all lanes stopped: superseded"


def test_events_that_wait_for_long_are_not_fresh() -> None:
    told = status()
    told.journal.lanes[1].committed = 9
    told.journal.lanes[1].oldest_unpublished_age.FromSeconds(11)
    journal, _ = whole(told)
    assert (journal.behind, journal.age, journal.fresh) == (2, timedelta(seconds=11), False)
    told.journal.lanes[1].oldest_unpublished_age.FromSeconds(1)
    assert whole(told)[0].fresh


def test_a_copy_is_not_fresh_when_its_time_is_old_or_unknown() -> None:
    told = status()
    told.subscriptions[0].as_of.FromSeconds(999_980)
    assert not whole(told)[1].fresh
    told.subscriptions[0].ClearField("as_of")
    _, copy = whole(told)
    assert (copy.age, copy.fresh) == (None, False)


def test_a_journal_without_a_relay_is_not_fresh() -> None:
    told = status()
    told.journal.relay_leader = ""
    journal, _ = whole(told)
    assert (journal.trouble, journal.fresh) == ("no relay is active", False)


def test_trouble_is_told_as_it_is() -> None:
    told = status()
    told.subscriptions[0].trouble = "the broker is away"
    _, copy = whole(told)
    assert (copy.trouble, copy.fresh) == ("the broker is away", False)


def test_what_a_source_announces_is_unknown_until_it_was_heard_of() -> None:
    told = status()
    [lane] = told.subscriptions[0].lanes
    lane.committed = lane.published = 0
    _, _, _, *of_copy = lines(told, by_lane=True)
    assert [(line.committed, line.published, line.applied, line.behind) for line in of_copy] == [
        (None, None, 5, None)
    ] * 2
    told.subscriptions[0].lag.FromSeconds(1)
    _, _, _, *of_copy = lines(told, by_lane=True)
    assert [(line.committed, line.behind) for line in of_copy] == [(0, 0)] * 2
