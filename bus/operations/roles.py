"""Who may call the `OperationsService` that every service has: many look, only operators change."""

from collections.abc import Mapping
from typing import Final

from chassis.principal import Role

_SERVICE: Final = "/training.ops.v1.OperationsService/"
_LOOK: Final = ("GetStatus", "WatchStatus", "Explain", "ListParkedEvents", "GetParkedEvent")
_CHANGE: Final = ("BeginEpoch", "RetryParkedAggregate", "SkipParkedEvent", "RebuildCatalogue", "AuditCatalogue")

OPERATION_ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    **{f"{_SERVICE}{method}": (Role.OPERATOR, Role.SERVICE) for method in _LOOK},
    **{f"{_SERVICE}{method}": (Role.OPERATOR,) for method in _CHANGE},
}
"""A part of each service's policy."""
