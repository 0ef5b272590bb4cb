"""What the bus is told of a revision: releases and retirements with the whole public state, of the rest only that."""

from typing import Final

from training.program.v1 import events_pb2 as events
from training.program.v1 import program_pb2 as pb

from program_svc.adapters.mapping_content import FillContent, fill_content
from program_svc.adapters.mapping_values import fill_time, write_optional_id
from program_svc.adapters.mapping_version import WIRE_STATES
from program_svc.domain.changes import Change, VersionReleased, VersionRetired
from program_svc.domain.program import Program, Version

_TYPE: Final = "training.program.v1."
ADVANCED: Final = (f"{_TYPE}Advanced", b"")
"""The event of a revision that changed nothing public, as every one of a reviewer."""


def event(
    actor: str,
    before: Program | None,  # noqa: ARG001 - offers compare with it; both services write their events by one signature
    after: Program,
    changes: tuple[Change, ...],
    fill: FillContent = fill_content,
) -> tuple[str, bytes]:
    """Write the event of one revision as its type and body; nothing but the type when nothing public changed."""
    for change in changes:
        match change:
            case VersionReleased() if after.live is not None:
                body = events.ProgramEvent(actor=actor)
                body.released.version = after.live.number
                _fill_published(body.program, after, after.live, fill)
                return f"{_TYPE}ProgramReleased", body.SerializeToString()
            case VersionRetired(retirement) if after.live is not None:
                body = events.ProgramEvent(actor=actor)
                body.retired.successor_program_id = write_optional_id(retirement.successor_program_id)
                body.retired.cancel_offers = retirement.cancel_offers
                _fill_published(body.program, after, after.live, fill)
                return f"{_TYPE}ProgramRetired", body.SerializeToString()
            case _:
                continue
    return ADVANCED


def published(program: Program) -> events.PublishedProgram | None:
    """Write what readers may see of a program as of its last public revision; None before its first release."""
    if program.live is None:
        return None
    message = events.PublishedProgram()
    _fill_published(message, program, program.live, fill_content)
    return message


def published_body(stored: pb.Program, revision: int) -> bytes:
    """Write the body of an event with what readers may see of a program as of a public revision, and no change.

    The parts that the stored message has are those that were published: they are copied as they are.
    """
    body, live = events.ProgramEvent(), stored.live
    message = body.program
    message.program_id = stored.program_id
    message.revision = revision
    message.state = live.state
    message.version = live.number
    message.content.CopyFrom(live.content)
    message.create_time.CopyFrom(stored.create_time)
    if stored.HasField("public_time"):
        message.update_time.CopyFrom(stored.public_time)
    if live.HasField("release_time"):
        message.release_time.CopyFrom(live.release_time)
    if stored.HasField("retirement"):
        message.retire_time.CopyFrom(stored.retirement.retire_time)
        message.successor_program_id = stored.retirement.successor_program_id
        message.cancel_offers = stored.retirement.cancel_offers
    return body.SerializeToString()


def _fill_published(message: events.PublishedProgram, program: Program, live: Version, fill: FillContent) -> None:
    message.program_id = str(program.program_id)
    message.revision = program.public_revision
    message.state = WIRE_STATES[live.state]
    message.version = live.number
    fill(message.content, live.content)
    fill_time(message.create_time, program.create_time)
    if program.public_time is not None:
        fill_time(message.update_time, program.public_time)
    if live.release_time is not None:
        fill_time(message.release_time, live.release_time)
    if program.retirement is not None:
        fill_time(message.retire_time, program.retirement.retire_time)
        message.successor_program_id = write_optional_id(program.retirement.successor_program_id)
        message.cancel_offers = program.retirement.cancel_offers
