"""The settings of the offer service, from `OFFER_…` and `TRAINING_…`."""

from datetime import timedelta
from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from bus.command_service import CommandServiceSettings
from chassis.settings import Address, ListenAddress
from offer_svc.domain.context import Bounds, Rules


class OfferSettings(CommandServiceSettings):
    """What the offer service needs to know."""

    prefix: ClassVar[str] = "OFFER_"

    grpc_address: ListenAddress = Address("127.0.0.1", 50052)
    metrics_address: ListenAddress = Address("127.0.0.1", 9102)
    program_source_address: str = Field(default="127.0.0.1:50051", min_length=1)
    maximum_sessions: PositiveInt = 500
    longest_session_hours: float = Field(default=24.0, gt=0, le=31 * 24)
    longest_rule_days: int = Field(default=3 * 366, gt=0, le=10 * 366)
    quote_minutes: float = Field(default=10.0, gt=0, le=7 * 24 * 60)
    hold_minutes: float = Field(default=10.0, gt=0, le=7 * 24 * 60)
    longest_hold_minutes: float = Field(default=60.0, gt=0, le=31 * 24 * 60)
    promotion_hours: float = Field(default=24.0, gt=0, le=31 * 24)
    leave_days: float = Field(default=14.0, ge=0, le=366)
    promotions_per_revision: int = Field(default=100, gt=0, le=1000)

    @model_validator(mode="after")
    def _a_hold_fits_its_limit(self) -> Self:
        """Refuse a hold that would be longer than it may be extended to."""
        if self.hold_minutes > self.longest_hold_minutes:
            raise ValueError(f"{self.prefix}HOLD_MINUTES: must not exceed {self.prefix}LONGEST_HOLD_MINUTES")
        return self

    def bounds(self) -> Bounds:
        """Return the configured bounds of schedules."""
        return Bounds(
            maximum_sessions=self.maximum_sessions,
            longest_session=timedelta(hours=self.longest_session_hours),
            longest_rule=timedelta(days=self.longest_rule_days),
        )

    def rules(self) -> Rules:
        """Return the configured bounds of selling."""
        return Rules(
            quote=timedelta(minutes=self.quote_minutes),
            hold=timedelta(minutes=self.hold_minutes),
            longest_hold=timedelta(minutes=self.longest_hold_minutes),
            promotion_hold=timedelta(hours=self.promotion_hours),
            leave_window=timedelta(days=self.leave_days),
            most_promotions=self.promotions_per_revision,
        )
