"""Who may call what: a default-deny table of full method names."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Final

from chassis.principal import Role
from chassis.startup import StartFailure


class Anyone(Enum):
    """The roles of a method that needs none: any authenticated principal may call it."""

    ANYONE = "anyone"


ANYONE: Final = Anyone.ANYONE

Roles = frozenset[Role] | Anyone
"""The roles of which a caller needs one."""

INFRASTRUCTURE: Final[Mapping[str, Roles]] = {
    "/grpc.channelz.v1.Channelz/GetChannel": ANYONE,
    "/grpc.channelz.v1.Channelz/GetServer": ANYONE,
    "/grpc.channelz.v1.Channelz/GetServerSockets": ANYONE,
    "/grpc.channelz.v1.Channelz/GetServers": ANYONE,
    "/grpc.channelz.v1.Channelz/GetSocket": ANYONE,
    "/grpc.channelz.v1.Channelz/GetSubchannel": ANYONE,
    "/grpc.channelz.v1.Channelz/GetTopChannels": ANYONE,
    "/grpc.health.v1.Health/Check": ANYONE,
    "/grpc.health.v1.Health/List": ANYONE,
    "/grpc.health.v1.Health/Watch": ANYONE,
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo": ANYONE,
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": ANYONE,
}
"""What every server serves beside its own services."""


def is_infrastructure(method: str) -> bool:
    """Tell whether the method is one of gRPC's own services."""
    return method.startswith("/grpc.")


class Policy:
    """The roles of every method that a server serves; what is not listed is denied."""

    def __init__(self, table: Mapping[str, Iterable[Role] | Anyone]) -> None:
        self._table: dict[str, Roles] = dict(INFRASTRUCTURE)
        for method, roles in table.items():
            self._table[method] = roles if isinstance(roles, Anyone) else frozenset(roles)

    def roles(self, method: str) -> Roles:
        """Return the roles of which a caller of the method needs one; none for a method that is not listed."""
        return self._table.get(method, frozenset())

    def check(self, served: Iterable[str]) -> None:
        """Fail the start unless exactly the served methods are listed, each with a role."""
        methods = set(served)
        problems = [f"{method} is served, but the policy does not list it" for method in methods - self._table.keys()]
        problems += [f"{method} is listed in the policy, but not served" for method in self._table.keys() - methods]
        problems += [f"{method} has no role in the policy" for method, roles in self._table.items() if not roles]
        if problems:
            raise StartFailure("; ".join(sorted(problems)))
