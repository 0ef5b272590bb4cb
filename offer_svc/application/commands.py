"""The one way of every command on an offer."""

from bus.commands.path import CommandCall, CommandPath, Outcome
from offer_svc.application.handler import Opened
from offer_svc.domain.commands import Command, ReservationCommand


class Offers:
    """Executes commands on offers; those of reservations together with others that come at the same time."""

    def __init__(self, path: CommandPath[Opened, Command]) -> None:
        self._path = path

    async def execute(self, command: Command, call: CommandCall) -> Outcome:
        """Carry a command out. Raises the refusals of the domain and those of the command path."""
        hot = isinstance(command, ReservationCommand)
        return await self._path.execute(call, command.offer_id, command, hot=hot)

    async def outcome_of(self, call: CommandCall) -> Outcome | None:
        """Return the outcome of a request that was carried out before."""
        return await self._path.outcome_of(call)
