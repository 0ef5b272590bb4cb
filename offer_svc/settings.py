"""The settings of the offer service, from `OFFER_…` and `TRAINING_…`."""

from datetime import timedelta
from typing import ClassVar

from pydantic import Field, PositiveInt

from bus.command_service import CommandServiceSettings
from chassis.settings import Address, ListenAddress
from offer_svc.domain.context import Bounds


class OfferSettings(CommandServiceSettings):
    """What the offer service needs to know."""

    prefix: ClassVar[str] = "OFFER_"

    grpc_address: ListenAddress = Address("127.0.0.1", 50052)
    metrics_address: ListenAddress = Address("127.0.0.1", 9102)
    maximum_sessions: PositiveInt = 500
    longest_session_hours: float = Field(default=24.0, gt=0, le=31 * 24)
    longest_rule_days: int = Field(default=3 * 366, gt=0, le=10 * 366)

    def bounds(self) -> Bounds:
        """Return the configured bounds of schedules."""
        return Bounds(
            maximum_sessions=self.maximum_sessions,
            longest_session=timedelta(hours=self.longest_session_hours),
            longest_rule=timedelta(days=self.longest_rule_days),
        )
