"""Programs as stored bytes, events and responses: the ports of the command path, filled by the mapping."""

from training.program.v1 import program_pb2 as pb
from training.program.v1.program_service_pb2 import SubmitProgramResponse

from bus.commands import Revision
from chassis.wire import field
from program_svc.adapters import mapping
from program_svc.domain.changes import Change
from program_svc.domain.commands import Command, SubmitProgram
from program_svc.domain.context import Rules
from program_svc.domain.program import Program
from program_svc.domain.release_gate import release_warnings


class ProgramEncoding:
    """Writes programs and what happens to them as messages, and reads them back.

    Every response has the program as its field 1, so the stored message is spliced into it as it is.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules

    def decode(self, state: bytes) -> Program:
        """Return the program from its stored message."""
        return mapping.from_message(pb.Program.FromString(state))

    def etag(self, state: Program) -> str:
        """Return the etag of the program's definition."""
        return mapping.etag(state)

    def revision(
        self, before: Program | None, after: Program, changes: tuple[Change, ...], command: Command, actor: str
    ) -> Revision:
        """Encode one revision: the new state, the event, the private record, the response."""
        fill = mapping.filling_once()
        state = mapping.to_message(after, fill).SerializeToString()
        event_type, public = mapping.event(actor, before, after, changes, fill)
        return Revision(
            columns={
                "status": int(after.state),
                "author": after.author,
                "updated_at": after.update_time,
                "state": state,
            },
            event_type=event_type,
            public=public,
            private=mapping.record(type(command).__name__, changes, fill).SerializeToString(),
            response=field(1, state) + self._beside(after, command),
        )

    def response(self, program: Program, command: Command) -> bytes:
        """Encode the response to a command that changed nothing."""
        return field(1, mapping.to_message(program).SerializeToString()) + self._beside(program, command)

    def _beside(self, program: Program, command: Command) -> bytes:
        """Encode what a response carries beside the program and the token."""
        if not isinstance(command, SubmitProgram):
            return b""
        warnings = mapping.gate_violations(release_warnings(program, self._rules.gate))
        return SubmitProgramResponse(warnings=warnings).SerializeToString()
