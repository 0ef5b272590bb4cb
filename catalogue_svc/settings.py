"""The settings of the catalogue, from `CATALOGUE_…` and `TRAINING_…`."""

from typing import ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from catalogue_svc.store.changes import KEPT_HOURS
from chassis.settings import Address, ListenAddress, ServiceSettings


class CatalogueSettings(ServiceSettings):
    """What the catalogue needs to know.

    `catalogue_id` tells apart catalogues that follow the same sources into read stores of their own.
    """

    prefix: ClassVar[str] = "CATALOGUE_"
    shared: ClassVar[frozenset[str]] = ServiceSettings.shared | {"bus_prefix"}

    grpc_address: ListenAddress = Address("127.0.0.1", 50053)
    metrics_address: ListenAddress = Address("127.0.0.1", 9103)
    catalogue_id: str = Field(default="main", validation_alias="CATALOGUE_ID", pattern=r"^[A-Za-z0-9_-]{1,40}$")
    bus_prefix: str = Field(default="training", pattern=r"^[a-z0-9]+$")
    program_source_address: str = Field(default="127.0.0.1:50051", min_length=1)
    offer_source_address: str = Field(default="127.0.0.1:50052", min_length=1)
    read_connections: PositiveInt = 8
    cache_bytes: PositiveInt = 48 * 1024**2
    change_hours: PositiveFloat = KEPT_HOURS  # who was away for longer begins anew
