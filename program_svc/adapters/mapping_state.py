"""The program between the domain and its message, which is also how it is stored."""

import re
from datetime import datetime, timedelta
from typing import Final

from google.protobuf.internal.containers import RepeatedCompositeFieldContainer
from training.program.v1 import program_pb2 as pb

from chassis.refusal import Violation
from program_svc.adapters.mapping_content import FillContent, fill_content, read_content
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
from program_svc.domain.program import Approval, Program, Retirement, State, Version, Waiver

_STATES: Final = {int(state): state for state in State}
WIRE_STATES: Final = {state: pb.Program.State.ValueType(int(state)) for state in State}
_ETAG: Final = re.compile(r"([0-9a-f]{1,16})-(-?[0-9a-f]{1,15})", re.ASCII)


def etag(program: Program) -> str:
    """Return the tag of the program's definition: the revision that made it, and its time in microseconds."""
    return f"{program.definition_revision:x}-{microseconds(program.definition_time):x}"


def to_message(program: Program, fill: FillContent = fill_content) -> pb.Program:
    """Write a program as a message."""
    message = pb.Program(
        program_id=str(program.program_id),
        revision=program.revision,
        etag=etag(program),
        state=WIRE_STATES[program.state],
        author=program.author,
        co_authors=program.co_authors,
    )
    fill_time(message.create_time, program.create_time)
    fill_time(message.update_time, program.update_time)
    if program.working is not None:
        _fill_version(message.working, program.working, fill)
    if program.live is not None:
        _fill_version(message.live, program.live, fill)
    if program.retirement is not None:
        fill_retirement(message.retirement, program.retirement)
    return message


def _fill_version(message: pb.ProgramVersion, version: Version, fill: FillContent) -> None:
    message.number = version.number
    message.state = WIRE_STATES[version.state]
    fill(message.content, version.content)
    if version.submit_time is not None:
        fill_time(message.submit_time, version.submit_time)
    for approval in version.approvals:
        fill_time(message.approvals.add(reviewer=approval.reviewer).approve_time, approval.approve_time)
    if version.release_time is not None:
        fill_time(message.release_time, version.release_time)
    fill_waivers(message.waivers, version.waivers)


def fill_waivers(messages: RepeatedCompositeFieldContainer[pb.Waiver], waivers: tuple[Waiver, ...]) -> None:
    """Write waivers into the list of a message."""
    for waiver in waivers:
        messages.add(rules=waiver.rules, reason=waiver.reason, principal=waiver.principal)


def fill_retirement(message: pb.Retirement, retirement: Retirement) -> None:
    """Write a retirement into its message."""
    message.reason = retirement.reason
    message.successor_program_id = write_optional_id(retirement.successor_program_id)
    fill_time(message.retire_time, retirement.retire_time)
    message.cancel_offers = retirement.cancel_offers


def from_message(message: pb.Program) -> Program:
    """Read a program from its message; raises InvalidField for one that no program can be."""
    faults: list[Violation] = []
    definition_revision, definition_time = _read_etag(message.etag, faults)
    program = Program(
        program_id=read_id(message.program_id, "program_id", faults),
        revision=message.revision,
        definition_revision=definition_revision,
        definition_time=definition_time,
        create_time=read_time(message.create_time, "create_time", faults),
        update_time=read_time(message.update_time, "update_time", faults),
        author=message.author,
        co_authors=tuple(message.co_authors),
        working=_read_version(message.working, "working", faults) if message.HasField("working") else None,
        live=_read_version(message.live, "live", faults) if message.HasField("live") else None,
        retirement=_read_retirement(message.retirement, faults) if message.HasField("retirement") else None,
    )
    refuse(faults)
    return program


def _read_etag(text: str, faults: list[Violation]) -> tuple[int, datetime]:
    parts = _ETAG.fullmatch(text)
    if parts is None:
        faults.append(Violation("etag", "etag.form", text[:100], "a revision and a time in hexadecimal"))
        return 0, EPOCH
    try:
        return int(parts[1], 16), EPOCH + timedelta(microseconds=int(parts[2], 16))
    except OverflowError:
        faults.append(Violation("etag", "etag.range", text, "a time in the years 1 to 9999"))
        return 0, EPOCH


def _read_version(message: pb.ProgramVersion, path: str, faults: list[Violation]) -> Version:
    state = _STATES.get(message.state)
    if state is None:
        faults.append(Violation(f"{path}.state", "enum.defined", str(message.state), "a state that is defined"))
        state = State.UNSPECIFIED
    return Version(
        number=message.number,
        state=state,
        content=read_content(message.content, f"{path}.content", faults),
        submit_time=(
            read_time(message.submit_time, f"{path}.submit_time", faults) if message.HasField("submit_time") else None
        ),
        approvals=tuple(
            [
                Approval(given.reviewer, read_time(given.approve_time, f"{path}.approvals[{at}].approve_time", faults))
                for at, given in enumerate(message.approvals)
            ]
        ),
        release_time=(
            read_time(message.release_time, f"{path}.release_time", faults)
            if message.HasField("release_time")
            else None
        ),
        waivers=tuple([Waiver(tuple(given.rules), given.reason, given.principal) for given in message.waivers]),
    )


def _read_retirement(message: pb.Retirement, faults: list[Violation]) -> Retirement:
    return Retirement(
        message.reason,
        read_optional_id(message.successor_program_id, "retirement.successor_program_id", faults),
        read_time(message.retire_time, "retirement.retire_time", faults),
        message.cancel_offers,
    )
