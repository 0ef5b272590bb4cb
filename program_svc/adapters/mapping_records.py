"""What a revision leaves behind for the history: its private record, and how the history tells it."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from training.program.v1 import events_pb2 as events
from training.program.v1 import program_service_pb2 as service

from program_svc.adapters.mapping_changes import fill_change, fill_reviewer_change
from program_svc.adapters.mapping_content import FillContent, fill_content
from program_svc.adapters.mapping_values import fill_time
from program_svc.domain.changes import Change, ReviewerChange
from program_svc.domain.compare import Difference


def record(
    command_name: str, changes: tuple[Change, ...], fill: FillContent = fill_content
) -> events.ProgramRevisionRecord:
    """Write the private record of one revision of a program."""
    message = events.ProgramRevisionRecord(command=command_name)
    for change in changes:
        fill_change(message.changes.add(), change, fill)
    return message


def reviewer_record(command_name: str, changes: tuple[ReviewerChange, ...]) -> events.ReviewerRevisionRecord:
    """Write the private record of one revision of a reviewer."""
    message = events.ReviewerRevisionRecord(command=command_name)
    for change in changes:
        fill_reviewer_change(message.changes.add(), change)
    return message


def history_entry(revision: int, time: datetime, actor: str, private: bytes, *, full: bool) -> service.HistoryEntry:
    """Tell one revision of a program from its private record; unless in full, without the contents."""
    kept = events.ProgramRevisionRecord.FromString(private)
    touched = dict.fromkeys(name for change in kept.changes for name in _fields(change))
    if not full:
        for change in kept.changes:
            _leave_content_out(change)
    entry = service.HistoryEntry(
        revision=revision,
        actor=actor,
        command=kept.command,
        changed_fields=touched,
        changes=kept.changes,
    )
    fill_time(entry.time, time)
    return entry


def _fields(change: events.ProgramChange) -> Iterator[str]:
    """Return the fields of the content that a change touched; of the first content, those that it has."""
    if change.HasField("created"):
        yield from (field.name for field, _ in change.created.content.ListFields())
    elif change.HasField("content_changed"):
        yield from change.content_changed.fields


def _leave_content_out(change: events.ProgramChange) -> None:
    if change.HasField("created"):
        change.created.ClearField("content")
    elif change.HasField("content_changed"):
        change.content_changed.ClearField("content")


def differences(found: Iterable[Difference]) -> list[service.FieldDifference]:
    """Write what differs between two versions, in order."""
    return [service.FieldDifference(path=each.path, before=each.before, after=each.after) for each in found]
