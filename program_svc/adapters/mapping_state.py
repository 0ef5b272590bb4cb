"""The program between the domain and its message, which is also how it is stored."""

import re
from datetime import datetime, timedelta
from typing import Final

from training.program.v1 import program_pb2 as pb

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import FillContent, fill_content
from program_svc.adapters.mapping_values import (
    EPOCH,
    fill_time,
    microseconds,
    read_id,
    read_optional_id,
    read_time,
    refuse,
    write_optional_id,
)
from program_svc.adapters.mapping_version import WIRE_STATES, fill_version, version_from
from program_svc.domain.program import Program, Retirement
from program_svc.domain.reviewer import Reviewer

_ETAG: Final = re.compile(r"([0-9a-f]{1,16})-(-?[0-9a-f]{1,15})", re.ASCII)


def etag(state: Program | Reviewer) -> str:
    """Return the tag of an aggregate's definition: the revision that made it, and its time in microseconds."""
    return f"{state.definition_revision:x}-{microseconds(state.definition_time):x}"


def read_etag(text: str, faults: list[Violation]) -> tuple[int, datetime]:
    """Read the revision and the time of a definition from the tag in its aggregate's message."""
    parts = _ETAG.fullmatch(text)
    if parts is None:
        faults.append(Violation("etag", "etag.form", text[:100], "a revision and a time in hexadecimal"))
        return 0, EPOCH
    try:
        return int(parts[1], 16), EPOCH + timedelta(microseconds=int(parts[2], 16))
    except OverflowError:
        faults.append(Violation("etag", "etag.range", text, "a time in the years 1 to 9999"))
        return 0, EPOCH


def to_message(program: Program, fill: FillContent = fill_content) -> pb.Program:
    """Write a program as a message."""
    message = pb.Program(
        program_id=str(program.program_id),
        revision=program.revision,
        etag=etag(program),
        state=WIRE_STATES[program.state],
        author=program.author,
        co_authors=program.co_authors,
        version_count=program.version_count,
        public_revision=program.public_revision,
    )
    fill_time(message.create_time, program.create_time)
    fill_time(message.update_time, program.update_time)
    if program.working is not None:
        fill_version(message.working, program.working, fill)
    if program.live is not None:
        fill_version(message.live, program.live, fill)
    if program.retirement is not None:
        fill_retirement(message.retirement, program.retirement)
    if program.pending_retirement is not None:
        fill_retirement(message.pending_retirement, program.pending_retirement)
    if program.public_time is not None:
        fill_time(message.public_time, program.public_time)
    return message


def fill_retirement(message: pb.Retirement, retirement: Retirement) -> None:
    """Write a retirement into its message."""
    message.reason = retirement.reason
    message.successor_program_id = write_optional_id(retirement.successor_program_id)
    fill_time(message.retire_time, retirement.retire_time)
    message.cancel_offers = retirement.cancel_offers


def from_message(message: pb.Program) -> Program:
    """Read a program from its message; raises InvalidField for one that no program can be."""
    faults: list[Violation] = []
    definition_revision, definition_time = read_etag(message.etag, faults)
    program = Program(
        program_id=read_id(message.program_id, "program_id", faults),
        revision=message.revision,
        definition_revision=definition_revision,
        definition_time=definition_time,
        create_time=read_time(message.create_time, "create_time", faults),
        update_time=read_time(message.update_time, "update_time", faults),
        author=message.author,
        co_authors=tuple(message.co_authors),
        working=version_from(message.working, "working", faults) if message.HasField("working") else None,
        live=version_from(message.live, "live", faults) if message.HasField("live") else None,
        retirement=(_retirement(message.retirement, "retirement", faults) if message.HasField("retirement") else None),
        version_count=message.version_count,
        pending_retirement=(
            _retirement(message.pending_retirement, "pending_retirement", faults)
            if message.HasField("pending_retirement")
            else None
        ),
        public_revision=message.public_revision,
        public_time=(
            read_time(message.public_time, "public_time", faults) if message.HasField("public_time") else None
        ),
    )
    refuse(faults)
    return program


def _retirement(message: pb.Retirement, path: str, faults: list[Violation]) -> Retirement:
    return Retirement(
        message.reason,
        read_optional_id(message.successor_program_id, f"{path}.successor_program_id", faults),
        read_time(message.retire_time, f"{path}.retire_time", faults),
        message.cancel_offers,
    )
