"""The load: callers who write programs and offers one story after the other, and readers who look at once."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from types import TracebackType
from typing import Any, Final, Self
from uuid import UUID

import grpc
import grpc.aio
from training.offer.v1 import offer_service_pb2 as offers
from training.program.v1 import program_service_pb2 as programs

from tests.faults import contents
from tests.faults.client import AUTHOR, MANAGER, PUBLISHER, REVIEWER, Platform, Unsettled, settled
from tests.faults.history import History, Outcome, Told
from tests.faults.imports import Importer
from tests.faults.reader import TokenReader

Story = Callable[[Random], Awaitable[None]]
_FORGETFUL: Final = 0.15
"""How often a caller takes the first failure for an answer, so that the outcome stays unknown to it."""
_BETWEEN_STORIES_SECONDS: Final = 0.02


class Traffic:
    """Runs the stories from `resume` until `pause`, each kind by a caller of its own."""

    def __init__(self, platform: Platform, history: History, seed: int) -> None:
        self._platform = platform
        self._history = history
        self._seed = seed
        self._going = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._turn = 0
        self._price = 100
        self._released: list[Told] = []
        self._hot: Told | None = None

    async def __aenter__(self) -> Self:
        """Be ready to run."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End whatever runs."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def resume(self) -> None:
        """Let the callers begin their stories."""
        self._going.set()
        self._turn += 1
        stories: list[Story] = [self._write_program, self._write_program, self._import, self._offer, self._hot_offer]
        self._tasks = [
            asyncio.create_task(self._tell(story, Random(f"{self._seed}/{self._turn}/{number}")))  # noqa: S311 - seeded
            for number, story in enumerate(stories)
        ]

    async def pause(self) -> None:
        """Wait until every caller has ended its story and knows its outcomes."""
        self._going.clear()
        await asyncio.gather(*self._tasks)
        self._tasks = []

    async def _tell(self, story: Story, chance: Random) -> None:
        while self._going.is_set():
            await story(chance)
            await asyncio.sleep(_BETWEEN_STORIES_SECONDS)

    async def _write_program(self, chance: Random) -> None:
        """Create, change, submit, approve and release a program; some are retired."""
        program_id, reader = contents.new_id(chance), TokenReader(self._platform, self._history)
        create = programs.CreateProgramRequest(program_id=str(program_id), content=contents.content(chance))
        tags = programs.UpdateProgramRequest(program_id=str(program_id))
        tags.content.tags.append(contents.words(chance, 1) + str(chance.random()))
        release = programs.ReleaseProgramRequest(program_id=str(program_id), waiver=contents.WAIVER)
        steps: list[tuple[str, Any, Any]] = [
            ("CreateProgram", create, AUTHOR),
            ("UpdateProgram", tags, AUTHOR),
            ("SubmitProgram", programs.SubmitProgramRequest(program_id=str(program_id)), AUTHOR),
            ("ApproveProgram", programs.ApproveProgramRequest(program_id=str(program_id)), REVIEWER),
            ("ReleaseProgram", release, PUBLISHER),
        ]
        if chance.random() < 0.2:
            retire = programs.RetireProgramRequest(program_id=str(program_id), reason="it is over")
            steps.append(("RetireProgram", retire, PUBLISHER))
        for method, request, who in steps:
            told = await self.command(method, program_id, request, who, chance)
            if told.outcome is not Outcome.ACCEPTED:
                return
            if method in {"ReleaseProgram", "RetireProgram"}:
                await reader.read(told)
            if method == "ReleaseProgram" and len(steps) == 5:
                self._released.append(told)

    async def _import(self, chance: Random) -> None:
        """Import programs, then offers of them that wait for their release, and read both."""
        importer, reader = Importer(self._platform, self._history), TokenReader(self._platform, self._history)
        imported = await importer.programs(chance, 4)
        for told in imported[:2]:
            await reader.read(told)
        made = await importer.offers(chance, imported)
        for told in made[:2]:
            await reader.read(told)
        if made:
            self._hot = made[0]

    async def _offer(self, chance: Random) -> None:
        """Create, schedule, price and publish an offer, change its price, and call some off."""
        if not self._released:
            return
        program, offer_id = chance.choice(self._released[-20:]), contents.new_id(chance)
        reader = TokenReader(self._platform, self._history)
        create = offers.CreateOfferRequest(
            offer_id=str(offer_id),
            definition=contents.definition(program.aggregate_id, chance),
            min_tokens=[program.token],
        )
        create.max_wait.FromSeconds(3)
        given: dict[str, Any] = {"offer_id": str(offer_id)}
        steps: list[tuple[str, Any]] = [
            ("CreateOffer", create),
            ("ScheduleSessions", offers.ScheduleSessionsRequest(**given, plan=contents.plan(chance))),
            ("SetPriceList", offers.SetPriceListRequest(**given, price_list=self._new_prices())),
            ("PublishOffer", offers.PublishOfferRequest(**given)),
            ("SetPriceList", offers.SetPriceListRequest(**given, price_list=self._new_prices())),
        ]
        if chance.random() < 0.3:
            steps.append(("CancelOffer", offers.CancelOfferRequest(**given, reason="too few people")))
        for number, (method, request) in enumerate(steps):
            told = await self.command(method, offer_id, request, MANAGER, chance)
            if told.outcome is not Outcome.ACCEPTED:
                return
            if number >= 3:
                await reader.read(told)

    async def _hot_offer(self, chance: Random) -> None:
        """Set the price of one offer from many callers at once; one of them is repeated by eight."""
        hot, reader = self._hot, TokenReader(self._platform, self._history)
        if hot is None:
            return
        requests = [
            offers.SetPriceListRequest(offer_id=str(hot.aggregate_id), price_list=self._new_prices()) for _ in range(3)
        ]
        said = await asyncio.gather(
            *(self.command("SetPriceList", hot.aggregate_id, each, MANAGER, chance) for each in requests),
            self.repeated(hot.aggregate_id, chance),
        )
        for told in said:
            if told.outcome is Outcome.ACCEPTED:
                await reader.read(told)

    async def repeated(self, offer_id: UUID, chance: Random) -> Told:
        """Send one request eight times at once; every caller must learn the same outcome."""
        request = offers.SetPriceListRequest(offer_id=str(offer_id), price_list=self._new_prices())
        request.request_id = str(contents.new_id(chance))
        answers = await asyncio.gather(
            *(
                settled(lambda t: self._platform.offer.SetPriceList(request, timeout=t, metadata=MANAGER))
                for _ in range(8)
            ),
        )
        self._history.repeats += 1
        if any(answer != answers[0] for answer in answers):
            self._history.wrong.append(f"repeats of the request {request.request_id} had several outcomes")
        first = answers[0]
        known = ("offer", "SetPriceList", offer_id, UUID(request.request_id), Outcome.ACCEPTED)
        return self._history.add(Told(*known, first.offer.revision, first.consistency_token))

    async def command(self, method: str, aggregate_id: UUID, request: Any, who: Any, chance: Random) -> Told:  # noqa: ANN401 - any command, metadata
        """Send a command until its outcome is known, or, sometimes, give up at the first failure."""
        source = "program" if method.endswith("Program") else "offer"
        request.request_id = str(contents.new_id(chance))
        call = getattr(getattr(self._platform, source), method)
        attempts = 1 if chance.random() < _FORGETFUL else None
        known = (source, method, aggregate_id, UUID(request.request_id))
        try:
            answer = await settled(lambda t: call(request, timeout=t, metadata=who), attempts=attempts)
        except Unsettled as error:
            if attempts is None:
                self._history.wrong.append(f"{method} {request.request_id}: {error}")
            return self._history.add(Told(*known, Outcome.UNKNOWN))
        except grpc.aio.AioRpcError as error:
            self._history.wrong.append(f"{method} {aggregate_id}: {error.code().name} {error.details()}")
            return self._history.add(Told(*known, Outcome.REFUSED))
        revision = getattr(answer, source).revision
        return self._history.add(Told(*known, Outcome.ACCEPTED, revision, answer.consistency_token))

    def _new_prices(self) -> Any:  # noqa: ANN401 - a message
        self._price += 1
        return contents.prices(self._price)
