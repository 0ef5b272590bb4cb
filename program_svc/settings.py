"""The settings of the program service, from `PROGRAM_…` and `TRAINING_…`."""

from typing import ClassVar

from pydantic import PositiveInt

from bus.command_service import CommandServiceSettings
from chassis.settings import Address, ListenAddress
from program_svc.domain.context import Rules


class ProgramSettings(CommandServiceSettings):
    """What the program service needs to know."""

    prefix: ClassVar[str] = "PROGRAM_"

    grpc_address: ListenAddress = Address("127.0.0.1", 50051)
    metrics_address: ListenAddress = Address("127.0.0.1", 9101)
    approvals_needed: PositiveInt = 1

    def rules(self) -> Rules:
        """Return the configured rules of programs."""
        return Rules(approvals_needed=self.approvals_needed)
