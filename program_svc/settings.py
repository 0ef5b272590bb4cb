"""The settings of the program service, from `PROGRAM_…` and `TRAINING_…`."""

from pathlib import Path
from typing import ClassVar

from bus.command_service import CommandServiceSettings
from chassis.settings import Address, ListenAddress
from program_svc.domain.context import Rules
from program_svc.rules_file import read_rules


class ProgramSettings(CommandServiceSettings):
    """What the program service needs to know. Without `rules_file`, the rules are those of the domain."""

    prefix: ClassVar[str] = "PROGRAM_"

    grpc_address: ListenAddress = Address("127.0.0.1", 50051)
    metrics_address: ListenAddress = Address("127.0.0.1", 9101)
    rules_file: Path | None = None

    def rules(self) -> Rules:
        """Return the configured rules of programs. Raises StartFailure."""
        return Rules() if self.rules_file is None else read_rules(self.rules_file)
