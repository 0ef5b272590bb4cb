"""Run a real PostgreSQL and a real NATS JetStream on loopback, as children that die with their parent."""

from chassis.embedded.errors import (
    BinariesMissing,
    EmbeddedError,
    FolderInUse,
    FolderUnusable,
    PortTaken,
    StartFailed,
)
from chassis.embedded.folders import DataFolder, choose_data_folder, temporary_data_folder
from chassis.embedded.nats import EmbeddedNats
from chassis.embedded.postgres import EmbeddedPostgres

__all__ = [
    "BinariesMissing",
    "DataFolder",
    "EmbeddedError",
    "EmbeddedNats",
    "EmbeddedPostgres",
    "FolderInUse",
    "FolderUnusable",
    "PortTaken",
    "StartFailed",
    "choose_data_folder",
    "temporary_data_folder",
]
