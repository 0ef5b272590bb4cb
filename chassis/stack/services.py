"""Which services the stack runs, where they listen and what they are told: data, for the code is the services' own."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from chassis.embedded.ports import LOOPBACK, free_port
from chassis.settings import Address


@dataclass(frozen=True, slots=True)
class Service:
    """A service as the stack knows it; `sources` are the services whose journals it asks."""

    name: str
    grpc_port: int
    metrics_port: int
    sources: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """What is run with `python -m`."""
        return f"{self.name}_svc"

    def variable(self, setting: str) -> str:
        """Return the environment variable of one of its settings."""
        return f"{self.name}_{setting}".upper()


PROGRAM: Final = Service("program", 50051, 9101)
OFFER: Final = Service("offer", 50052, 9102, sources=("program",))
CATALOGUE: Final = Service("catalogue", 50053, 9103, sources=("program", "offer"))
SERVICES: Final = (PROGRAM, OFFER, CATALOGUE)


@dataclass(frozen=True, slots=True)
class Listening:
    """Where a service listens."""

    grpc: Address
    metrics: Address

    @classmethod
    def anywhere(cls) -> "Listening":
        """Choose free ports on loopback."""
        return cls(Address(LOOPBACK, free_port()), Address(LOOPBACK, free_port()))

    @classmethod
    def from_environment(cls, service: Service) -> "Listening":
        """Take what the service's variables say, else its own ports. Raises ValueError naming the variable."""
        return cls(
            _address(service.variable("GRPC_ADDRESS"), service.grpc_port),
            _address(service.variable("METRICS_ADDRESS"), service.metrics_port),
        )


def _address(variable: str, port: int) -> Address:
    text = os.environ.get(variable)
    if text is None:
        return Address(LOOPBACK, port)
    try:
        return Address.parse(text)
    except ValueError as error:
        raise ValueError(f"{variable}: {error}") from None


def addresses(service: Service, listening: Mapping[str, Listening]) -> dict[str, str]:
    """Return the variables that tell a service where it listens itself and where its sources do."""
    own = listening[service.name]
    sources = {service.variable(f"{name}_SOURCE_ADDRESS"): str(listening[name].grpc) for name in service.sources}
    return {
        service.variable("GRPC_ADDRESS"): str(own.grpc),
        service.variable("METRICS_ADDRESS"): str(own.metrics),
        **sources,
    }
