"""Filters find exactly what a plain evaluation of their words finds."""

import random
from collections.abc import Sequence
from datetime import timedelta

import grpc
import grpc.aio
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from google.type.interval_pb2 import Interval
from training.catalogue.v1 import catalogue_service_pb2 as pb
from training.offer.v1.events_pb2 import PublishedOffer
from training.offer.v1.offer_pb2 import Offer
from training.program.v1.events_pb2 import PublishedProgram
from training.program.v1.program_pb2 import Program
from training.type.v1.vocabulary_pb2 import DeliveryMode, Level

from tests.integration.catalogue.asking import at, reason
from tests.integration.catalogue.conftest import Running, Sources
from tests.integration.catalogue.samples import START, offer, offered, program, released

CATEGORIES = ("science", "art", "law")
TAGS = ("new", "popular")
LANGUAGES = ("en", "en-GB", "de-AT", "fr")


def spoken(asked: Sequence[str], codes: Sequence[str]) -> bool:
    """Tell whether one of the languages is asked for, itself or by a beginning of it."""
    return any((code.lower() + "-").startswith(word.lower() + "-") for code in codes for word in asked)


def program_matches(asked: pb.ProgramFilter, message: PublishedProgram) -> bool:
    content = message.content
    described = [content.language_code, *(text.language_code for text in content.localizations)]
    return (
        (not asked.categories or bool(set(asked.categories) & set(content.categories)))
        and (not asked.levels or content.level in asked.levels)
        and (not asked.language_codes or spoken(asked.language_codes, described))
        and (not asked.tags or bool(set(asked.tags) & set(content.tags)))
    )


def offer_matches(asked: pb.OfferFilter, message: PublishedOffer, of_program: PublishedProgram | None) -> bool:
    start = message.start_time.ToNanoseconds()
    return (
        of_program is not None
        and (asked.include_ended or message.state == Offer.STATE_PUBLISHED)
        and program_matches(asked.program, of_program)
        and (not asked.program_ids or message.program_id in asked.program_ids)
        and (not asked.modes or message.mode in asked.modes)
        and (not asked.language_codes or spoken(asked.language_codes, message.language_codes))
        and (not asked.start.HasField("start_time") or start >= asked.start.start_time.ToNanoseconds())
        and (not asked.start.HasField("end_time") or start < asked.start.end_time.ToNanoseconds())
        and max(0, message.capacity.maximum - message.seats_taken) >= asked.min_free_seats
    )


class Chance:
    """Seeded programs, offers and filters."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - no secret

    def some(self, words: Sequence[str], least: int = 0) -> list[str]:
        """Return some of the words."""
        return self._random.sample(words, self._random.randint(least, len(words) - 1))

    def sometimes(self, words: Sequence[str]) -> list[str]:
        """Return some of the words, or mostly none."""
        return self.some(words, 1) if self._random.random() < 0.4 else []

    def program(self) -> PublishedProgram:
        """Return a program."""
        return program(
            categories=self.some(CATEGORIES, 1),
            tags=self.some(TAGS),
            level=self._random.randint(0, 4),
            languages=self.some(LANGUAGES, 1),
            retired=self._random.random() < 0.2,
        )

    def offer(self, program_ids: Sequence[str]) -> PublishedOffer:
        """Return an offer."""
        return offer(
            self._random.choice(program_ids),
            start=START + timedelta(hours=self._random.randint(0, 6)),
            mode=self._random.randint(1, 4),
            languages=self.some(LANGUAGES, 1),
            taken=self._random.randint(0, 14),
            sessions=self._random.randint(0, 2),
            state=self._random.choice([Offer.STATE_PUBLISHED, Offer.STATE_PUBLISHED, Offer.STATE_CANCELLED]),
        )

    def program_filter(self) -> pb.ProgramFilter:
        """Return a filter of programs."""
        return pb.ProgramFilter(
            categories=self.sometimes(CATEGORIES),
            tags=self.sometimes(TAGS),
            language_codes=self.sometimes(["EN", "en-gb", "de", "ja"]),
            levels=self._random.sample(Level.values(), 3) if self._random.random() < 0.3 else [],
        )

    def offer_filter(self, program_ids: Sequence[str]) -> pb.OfferFilter:
        """Return a filter of offers."""
        asked = pb.OfferFilter(
            program=self.program_filter() if self._random.random() < 0.5 else None,
            program_ids=self.sometimes(program_ids),
            language_codes=self.sometimes(["EN", "en-gb", "de", "ja"]),
            modes=self._random.sample(DeliveryMode.values(), 2) if self._random.random() < 0.3 else [],
            min_free_seats=self._random.choice([0, 0, 1, 6]),
            include_ended=self._random.random() < 0.5,
        )
        if self._random.random() < 0.5:
            first, last = sorted(self._random.sample(range(8), 2))
            asked.start.start_time.FromDatetime(START + timedelta(hours=first))
            if self._random.random() < 0.5:
                asked.start.end_time.FromDatetime(START + timedelta(hours=last))
        return asked


async def test_lists_and_streams_find_what_a_plain_evaluation_finds(catalogue: Running, sources: Sources) -> None:
    chance = Chance(20270301)
    programs = {each.program_id: each for each in (chance.program() for _ in range(30))}
    strangers = [program().program_id for _ in range(2)]
    offers = [chance.offer([*programs, *strangers]) for _ in range(150)]
    tokens = [
        await sources.program.publish(map(released, programs.values())),
        await sources.offer.publish(map(offered, offers)),
    ]
    offers.sort(key=lambda each: (each.start_time.seconds, each.offer_id))
    for _ in range(60):
        by_program = chance.program_filter()
        listed = await catalogue.stub.ListPrograms(
            pb.ListProgramsRequest(filter=by_program, page_size=500, consistency=at(*tokens))
        )
        assert [entry.program_id for entry in listed.programs] == sorted(
            program_id
            for program_id, message in programs.items()
            if message.state == Program.STATE_RELEASED and program_matches(by_program, message)
        )
        by_offer = chance.offer_filter([*programs, *strangers])
        wanted = [each.offer_id for each in offers if offer_matches(by_offer, each, programs.get(each.program_id))]
        found = await catalogue.stub.ListOffers(pb.ListOffersRequest(filter=by_offer, page_size=500))
        assert [entry.offer.offer_id for entry in found.offers] == wanted
        call = catalogue.stub.StreamOffers(pb.StreamOffersRequest(filter=by_offer, max_batch_size=7))
        assert [entry.offer.offer_id async for message in call for entry in message.offers] == wanted


@pytest.mark.parametrize(
    "asked",
    [
        pb.OfferFilter(start=Interval(start_time=Timestamp(seconds=2**62))),
        pb.OfferFilter(start=Interval(end_time=Timestamp(nanos=-5))),
        pb.OfferFilter(start=Interval(start_time=Timestamp(seconds=9), end_time=Timestamp(seconds=8))),
        pb.OfferFilter(program_ids=["no-uuid"]),
        pb.OfferFilter(modes=[77]),  # type: ignore[list-item] # what a newer client may send
        pb.OfferFilter(min_free_seats=-1),
    ],
)
async def test_a_filter_that_can_not_be_read_is_refused(catalogue: Running, asked: pb.OfferFilter) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await catalogue.stub.ListOffers(pb.ListOffersRequest(filter=asked))
    assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await catalogue.stub.StreamOffers(pb.StreamOffersRequest(filter=asked)).read()
    assert reason(refused.value) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")


async def test_words_that_no_text_holds_find_nothing(catalogue: Running, sources: Sources) -> None:
    token = await sources.program.publish([released(program(categories=["science"]))])
    for words in (["\x1f"], [""], ["'; --", "%"]):
        asked = pb.ProgramFilter(categories=words, tags=words, language_codes=words)
        request = pb.ListProgramsRequest(filter=asked, language_codes=words, consistency=at(token))
        assert not (await catalogue.stub.ListPrograms(request)).programs
    unfiltered = await catalogue.stub.ListPrograms(pb.ListProgramsRequest(language_codes=["\x1f", "x" * 35]))
    assert len(unfiltered.programs) == 1
