"""What a source of change is called, on the bus and in messages."""

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from bus.event import Event  # which needs this module


@dataclass(frozen=True, slots=True)
class Source:
    """A command service as its subscribers know it.

    `prefix` sets a whole bus apart from another on the same broker; production has `training`.
    """

    name: str
    prefix: str = "training"

    @property
    def stream(self) -> str:
        """The JetStream stream of its events."""
        return f"{self.prefix}_{self.name}".upper()

    @property
    def subjects(self) -> str:
        """The subjects of all its events."""
        return f"{self.prefix}.v1.{self.name}.>"

    def lane_subjects(self, lane: int) -> str:
        """Return the subjects of one lane."""
        return f"{self.prefix}.v1.{self.name}.{lane}.>"

    def subject(self, lane: int, aggregate_id: UUID) -> str:
        """Return the subject of one aggregate's events."""
        return f"{self.prefix}.v1.{self.name}.{lane}.{aggregate_id}"

    def epoch_subject(self, lane: int) -> str:
        """Return the subject of the events with which a lane begins its epochs."""
        return f"{self.prefix}.v1.{self.name}.{lane}.epoch"

    def subject_of(self, event: "Event") -> str:
        """Return the subject on which an event travels."""
        return self.epoch_subject(event.lane) if event.starts_epoch else self.subject(event.lane, event.aggregate_id)

    @property
    def beacon_subject(self) -> str:
        """The core NATS subject on which the heads are announced; outside the stream."""
        return f"{self.prefix}.beacon.v1.{self.name}"

    @property
    def wake_subject(self) -> str:
        """The core NATS subject by which a process tells the active relay that it committed."""
        return f"{self.prefix}.wake.v1.{self.name}"
