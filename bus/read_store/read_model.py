"""What a service makes of its sources, by name with version: its tables, and which projection fills them.

The name is also that of a PostgreSQL schema, the *home*: the registry of the read model's generations, the leases of
those who fill them, and one view for each shown table onto the generation that answers. A *generation* is one filled
copy in a schema of its own. A read model is never migrated: another version is another name, filled from the sources
beside the old one.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import MetaData
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

from bus.following.projection import Projection

_VERSIONED: Final = re.compile(r"([a-z][a-z_]{0,30}_)([1-9][0-9]{0,5})")
_ALWAYS_SHOWN: Final = frozenset({"checkpoint", "parked"})
_GENERATION: Final = re.compile(r"_g([1-9][0-9]*)")
_DIALECT: Final = postgresql.dialect()  # type: ignore[no-untyped-call] # SQLAlchemy leaves it untyped


@dataclass(frozen=True, slots=True)
class ReadModel:
    """One version of a read model. `definition` makes its tables in the first schema of the search path.

    `shown` names the tables that are read through the home's views, in the order in which transactions come to them:
    what has rows of aggregates first, then `checkpoint`, then the rest. `projections` are by source.
    """

    name: str
    definition: Sequence[str]
    shown: Sequence[str]
    projections: Mapping[str, Projection[Any]]

    def __post_init__(self) -> None:
        """Refuse a name without a version, and a read model of which nobody could tell how far it has come."""
        if _VERSIONED.fullmatch(self.name) is None:
            raise ValueError(f"{self.name!r} is no name of a read model with its version")
        if missing := _ALWAYS_SHOWN - set(self.shown):
            raise ValueError(f"{self.name} does not show {', '.join(sorted(missing))}")

    @property
    def sources(self) -> list[str]:
        """The names of its sources, in the order in which they are told."""
        return list(self.projections)

    @property
    def version(self) -> int:
        """The version that its name tells."""
        return int(self.name.rpartition("_")[2])

    def schema(self, generation: int) -> str:
        """Return the schema of a generation."""
        return schema_of(self.name, generation)

    def search_path(self, generation: int) -> str:
        """Return where those look names up who fill a generation: there, then in the home."""
        return f"{self.schema(generation)}, {self.name}"

    def version_of(self, home: str) -> int | None:
        """Return which version of this read model a schema is the home of; None when it is of none."""
        found = _VERSIONED.fullmatch(home)
        own = _VERSIONED.fullmatch(self.name)
        return int(found[2]) if found is not None and own is not None and found[1] == own[1] else None


def schema_of(home: str, generation: int) -> str:
    """Return the schema of a generation of the read model with this name."""
    return f"{home}_g{generation}"


def generation_of(home: str, schema: str) -> int | None:
    """Return which generation of the read model with this name a schema holds; None when it holds none."""
    found = _GENERATION.fullmatch(schema.removeprefix(home)) if schema.startswith(home) else None
    return None if found is None else int(found[1])


def lease_of(source: str, generation: int) -> str:
    """Return the name of the lease that a source's active projector holds for a generation."""
    return f"projector/{source}/g{generation}"


def definition_of(metadata: MetaData) -> list[str]:
    """Return the statements that make the tables and indexes of a metadata."""
    tables = metadata.sorted_tables
    return [str(CreateTable(table).compile(dialect=_DIALECT)) for table in tables] + [
        str(CreateIndex(index).compile(dialect=_DIALECT))
        for table in tables
        for index in sorted(table.indexes, key=str)
    ]
