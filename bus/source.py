"""What a source of change is called, on the bus and in messages."""

from dataclasses import dataclass
from uuid import UUID


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

    @property
    def beacon_subject(self) -> str:
        """The core NATS subject on which the heads are announced; outside the stream."""
        return f"{self.prefix}.beacon.v1.{self.name}"

    @property
    def wake_subject(self) -> str:
        """The core NATS subject by which a process tells the active relay that it committed."""
        return f"{self.prefix}.wake.v1.{self.name}"
