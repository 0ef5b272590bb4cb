"""Whether the catalogue holds exactly what the source says, and whether each refused row was refused for its reason."""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import grpc.aio
from google.protobuf.duration_pb2 import Duration
from training.catalogue.v1.catalogue_service_pb2 import StreamOffersRequest, StreamProgramsRequest
from training.catalogue.v1.catalogue_service_pb2_grpc import CatalogueServiceStub
from training.type.v1.consistency_pb2 import Consistency, FullyConsistent
from training.type.v1.vocabulary_pb2 import VIEW_FULL

from bench.umd.expect import Expected, Refusal
from bench.umd.facts import Fact, Facts, differences, facts_of
from chassis.principal import PRINCIPAL_KEY

Found = list[Facts]
RefusedRow = Mapping[str, Any]
"""One line of the report that `trainingctl import` writes."""

_PROGRAM_TIMES: Final = ("release_time",)
_OFFER_TIMES: Final = ("offer.create_time", "offer.update_time", "offer.publish_time")
_READER: Final = ((PRINCIPAL_KEY, "verifier;roles=reader"),)
_LATEST: Final = Consistency(fully_consistent=FullyConsistent(max_wait=Duration(seconds=30)))


class ReadingFailed(Exception):
    """The catalogue did not answer in full."""


@dataclass(frozen=True, slots=True)
class Span:
    """When the import began and when it ended; what it made was made between the two."""

    began: datetime
    ended: datetime


@dataclass(slots=True)
class Findings:
    """What was compared, and every difference in words."""

    programs: int = 0
    offers: int = 0
    refused: int = 0
    facts: int = 0
    differences: list[str] = field(default_factory=list)


async def read_catalogue(address: str) -> tuple[Found, Found]:
    """Read all programs and all offers in full, from a state that contains everything accepted before.

    Raises ReadingFailed.
    """
    async with grpc.aio.insecure_channel(address) as channel:
        stub = CatalogueServiceStub(channel)
        programs = stub.StreamPrograms(
            StreamProgramsRequest(view=VIEW_FULL, consistency=_LATEST), metadata=_READER, timeout=120
        )
        found_programs = [facts_of(program) async for answer in _each(programs) for program in answer.programs]
        offers = stub.StreamOffers(
            StreamOffersRequest(view=VIEW_FULL, consistency=_LATEST), metadata=_READER, timeout=120
        )
        return found_programs, [facts_of(offer) async for answer in _each(offers) for offer in answer.offers]


def compare(expected: Expected, programs: Found, offers: Found, refused: Sequence[RefusedRow], span: Span) -> Findings:
    """Compare the catalogue's programs and offers, and the rows refused, with what was expected."""
    findings = Findings(len(programs), len(offers), len(refused))
    findings.facts = sum(map(len, programs)) + sum(map(len, offers))
    released = {program.get("program_id"): program.get("release_time") for program in programs}
    findings.differences += _compare("program", "program_id", expected.programs, _timed(programs, _PROGRAM_TIMES, span))
    joined = (_joined(offer, released) for offer in offers)
    findings.differences += _compare("offer", "offer.offer_id", expected.offers, _timed(joined, _OFFER_TIMES, span))
    findings.differences += _disorder("programs", programs, lambda program: (str(program.get("program_id")),))
    findings.differences += _disorder("offers", offers, _start_and_id)
    findings.differences += _compare_refusals(expected.refusals, refused)
    return findings


async def _each(call: Any) -> AsyncIterator[Any]:  # noqa: ANN401 - a call is generic for type checkers only
    try:
        async for answer in call:
            yield answer
    except grpc.aio.AioRpcError as error:
        raise ReadingFailed(f"the catalogue ended a stream: {error.code().name}: {error.details()}") from error


def _compare(kind: str, key: str, expected: Mapping[str, Facts], found: Iterable[Facts]) -> Iterator[str]:
    seen: set[str] = set()
    for facts in found:
        name = str(facts.get(key))
        if name in seen:
            yield f"{kind} {name} is there twice"
        elif name not in expected:
            yield f"{kind} {name} is there and is not in the source"
        else:
            for difference in differences(expected[name], facts):
                yield f"{kind} {name}: {difference}"
        seen.add(name)
    for name in expected.keys() - seen:
        yield f"{kind} {name} is missing"


def _timed(found: Iterable[Facts], paths: Sequence[str], span: Span) -> Iterator[Facts]:
    """Check the times that only the services know: all are one instant within the import; what is right is left out."""
    for facts in found:
        times = {facts.get(path) for path in paths}
        moment = times.pop()
        if not times and isinstance(moment, datetime) and span.began <= moment <= span.ended:
            yield {path: fact for path, fact in facts.items() if path not in paths}
        else:
            yield facts


def _joined(offer: Facts, released: Mapping[Fact | None, Fact | None]) -> Facts:
    """Leave the program's time of release out of an offer where it is the one that the program itself tells."""
    path = "program.release_time"
    if offer.get(path) != released.get(offer.get("program.program_id")):
        return offer
    return {each: fact for each, fact in offer.items() if each != path}


def _disorder(kind: str, found: Found, key: Callable[[Facts], tuple[str, ...]]) -> Iterator[str]:
    keys = [key(facts) for facts in found]
    if keys != sorted(keys):
        yield f"the {kind} did not come in their order"


def _start_and_id(offer: Facts) -> tuple[str, ...]:
    return str(offer.get("offer.start_time")), str(offer.get("offer.offer_id"))


def _compare_refusals(expected: Mapping[str, Refusal], refused: Sequence[RefusedRow]) -> Iterator[str]:
    seen: set[str] = set()
    for row in refused:
        name = str(row["row_id"])
        if name in seen:
            yield f"row {name} was refused twice"
        elif name not in expected:
            yield f"row {name} was refused: {row['reason']}: {row['message']}"
        elif not _is_right(expected[name], row):
            yield f"row {name}: expected {expected[name].reason} {expected[name].rule}, found {dict(row)}"
        seen.add(name)
    for name in expected.keys() - seen:
        yield f"row {name} was not refused: expected {expected[name].reason}"


def _is_right(expected: Refusal, row: RefusedRow) -> bool:
    metadata = row["metadata"]
    if row["code"] != "FAILED_PRECONDITION" or row["reason"] != expected.reason:
        return False
    if metadata.get("rule", "") != expected.rule:
        return False
    if not expected.overlaps:
        return True
    return tuple(datetime.fromisoformat(metadata[name]) for name in ("first", "second")) in expected.overlaps
