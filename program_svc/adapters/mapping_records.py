"""What a revision leaves behind: its private record and its public event."""

from typing import assert_never

from training.program.v1 import events_pb2 as events
from training.program.v1 import program_service_pb2 as service

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import FillContent, fill_content
from program_svc.adapters.mapping_state import WIRE_STATES, fill_retirement, fill_waivers
from program_svc.adapters.mapping_values import fill_time, write_optional_id
from program_svc.domain.changes import (
    Change,
    ContentChanged,
    ProgramCreated,
    VersionApproved,
    VersionReleased,
    VersionReopened,
    VersionRetired,
    VersionSubmitted,
)
from program_svc.domain.program import Program, Version

_TYPE = "training.program.v1."
_ADVANCED = (f"{_TYPE}Advanced", b"")


def record(
    command_name: str, changes: tuple[Change, ...], fill: FillContent = fill_content
) -> events.ProgramRevisionRecord:
    """Write the private record of one revision."""
    message = events.ProgramRevisionRecord(command=command_name)
    for change in changes:
        _fill_change(message.changes.add(), change, fill)
    return message


def _fill_change(message: events.ProgramChange, change: Change, fill: FillContent) -> None:
    match change:
        case ProgramCreated():
            message.created.author = change.author
            message.created.co_authors.extend(change.co_authors)
            fill(message.created.content, change.content)
        case ContentChanged():
            fill(message.content_changed.content, change.content)
            message.content_changed.fields.extend(change.fields)
        case VersionSubmitted():
            message.submitted.SetInParent()
        case VersionApproved():
            message.approved.reviewer = change.reviewer
            message.approved.complete = change.complete
        case VersionReleased():
            message.released.SetInParent()
            fill_waivers(message.released.waivers, change.waivers)
        case VersionRetired():
            fill_retirement(message.retired.retirement, change.retirement)
        case VersionReopened():
            message.reopened.SetInParent()
        case _:
            assert_never(change)


def event(
    actor: str,
    before: Program | None,  # noqa: ARG001 - offers compare with it; both services write their events by one signature
    after: Program,
    changes: tuple[Change, ...],
    fill: FillContent = fill_content,
) -> tuple[str, bytes]:
    """Write the event of one revision as its type and body; nothing but the type when nothing public changed."""
    body = events.ProgramEvent(actor=actor)
    for change in changes:
        match change:
            case VersionReleased() if after.live is not None:
                body.released.version = after.live.number
                _fill_published(body.program, after, after.live, fill)
                return f"{_TYPE}ProgramReleased", body.SerializeToString()
            case VersionRetired(retirement) if after.live is not None:
                body.retired.successor_program_id = write_optional_id(retirement.successor_program_id)
                body.retired.cancel_offers = retirement.cancel_offers
                _fill_published(body.program, after, after.live, fill)
                return f"{_TYPE}ProgramRetired", body.SerializeToString()
            case _:
                continue
    return _ADVANCED


def published(program: Program) -> events.PublishedProgram | None:
    """Write what readers may see of a program as of its present revision; None before its first release."""
    if program.live is None:
        return None
    message = events.PublishedProgram()
    _fill_published(message, program, program.live, fill_content)
    return message


def _fill_published(message: events.PublishedProgram, program: Program, live: Version, fill: FillContent) -> None:
    message.program_id = str(program.program_id)
    message.revision = program.revision
    message.state = WIRE_STATES[live.state]
    message.version = live.number
    fill(message.content, live.content)
    fill_time(message.create_time, program.create_time)
    fill_time(message.update_time, program.update_time)
    if live.release_time is not None:
        fill_time(message.release_time, live.release_time)
    if program.retirement is not None:
        fill_time(message.retire_time, program.retirement.retire_time)
        message.successor_program_id = write_optional_id(program.retirement.successor_program_id)
        message.cancel_offers = program.retirement.cancel_offers


def gate_violations(violations: tuple[Violation, ...]) -> list[service.GateViolation]:
    """Write what the release gate found, as SubmitProgram warns of it."""
    return [
        service.GateViolation(field=found.field, rule=found.rule, found=found.found, needed=found.needed)
        for found in violations
    ]
