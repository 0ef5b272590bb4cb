"""Comparing a service's copy with its sources while both go on, and putting right what is different.

The source tells a digest for each range of ids; a range whose digest the copy has too, with every row intact, is fine.
Another one is listed on both sides (`comparing`), its differences are named, and repaired if asked (`putting_right`).
Every question is short, at the source and in the copy, and one range is in memory at a time.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Protocol

from training.ops.v1 import operations_service_pb2 as pb

from bus.audit.audited_copy import PATIENCE_SECONDS, AuditedCopy, AuditInterrupted
from bus.audit.comparing import Comparing
from bus.audit.difference import Difference, Kind
from bus.audit.putting_right import PuttingRight
from bus.following.projection import Projection
from bus.following.source_journal import SourceJournal
from chassis.postgres import Connections

__all__ = ["Audit", "AuditInterrupted", "Audited", "Difference", "Kind", "Model"]


class Model(Protocol):
    """What is audited: the projections by source."""

    @property
    def projections(self) -> Mapping[str, Projection[Any]]:
        """What the copy is made by."""
        ...


@dataclass(frozen=True, slots=True)
class Audited:
    """How an audit gets on with one source: what it has compared, of about how many, and what it has found since."""

    source: str
    checked: int
    total: int
    differences: Sequence[Difference] = ()
    complete: bool = False

    def message(self) -> pb.AuditCatalogueResponse:
        """Return it as it is told."""
        return pb.AuditCatalogueResponse(
            source=self.source,
            checked=self.checked,
            total=max(self.total, self.checked),
            differences=[each.message() for each in self.differences],
            complete=self.complete,
        )


class Audit:
    """Audits the copy that `connections` see: they look names up in its generation's schema.

    A copy that stands still for `patience` seconds before what its source has is not waited for any longer.
    """

    def __init__(
        self,
        connections: Connections,
        model: Model,
        journals: Mapping[str, SourceJournal],
        *,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        self._connections = connections
        self._model = model
        self._journals = journals
        self._patience = patience

    async def run(self, sources: Sequence[str] = (), *, repair: bool = False) -> AsyncGenerator[Audited]:
        """Compare these sources (none: all), one after another, and tell how it gets on; leave it by `aclose`.

        Raises AuditInterrupted when the copy becomes another one or does not get on, SourceUnavailable, and KeyError
        for a source that the model does not know.
        """
        for source in sources or sorted(self._model.projections):
            async with aclosing(self._source(source, repair=repair)) as steps:
                async for each in steps:
                    yield each

    async def _source(self, source: str, *, repair: bool) -> AsyncGenerator[Audited]:
        journal = self._journals[source]
        copy = AuditedCopy(self._connections, source, self._model.projections[source], self._patience)
        comparing, putting_right = Comparing(copy, journal), PuttingRight(copy, journal)
        await copy.checkpoint()
        total, checked = await copy.count(), 0
        async with aclosing(comparing.ranges()) as ranges:
            async for each in ranges:
                async with aclosing(comparing.differences(each)) as parts:
                    async for differences in parts:
                        told = await putting_right.repaired(differences) if repair else differences
                        yield Audited(source, checked, total, told)
                await copy.checkpoint()
                checked += each.count
                yield Audited(source, checked, total)
        yield Audited(source, checked, total, complete=True)
