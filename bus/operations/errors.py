"""What the operator's RPCs themselves refuse.

Refusal
├── ResourceNotFound (chassis)  no such source is followed, or no such event is parked
└── NotServedHere               the service has nothing of that kind; metadata: service
"""

from typing import Self

from chassis.refusal import Refusal, ResourceNotFound


class NotServedHere(Refusal):
    """The service follows no source and so can't park, audit or rebuild; or it has no journal and so no epoch."""

    reason = "NOT_SERVED_HERE"

    @classmethod
    def by(cls, service: str, lacking: str) -> Self:
        """Name the service, and what it has not."""
        return cls(f"the {service} service has no {lacking}", {"service": service})


def not_followed(service: str, source: str) -> ResourceNotFound:
    """Return the refusal for a source that the service does not follow."""
    named = {"resource_type": "source", "resource_name": source}
    return ResourceNotFound(f"the {service} service does not follow a source of that name", named)


def not_parked(what: str, identity: str) -> ResourceNotFound:
    """Return the refusal for an event or an aggregate, as `what` tells, of which nothing is parked."""
    named = {"resource_type": f"parked {what}", "resource_name": identity}
    return ResourceNotFound(f"nothing is parked of {what} {identity}", named)
