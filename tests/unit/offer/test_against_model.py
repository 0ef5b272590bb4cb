"""Random commands, judged by a model that shares nothing with the domain but the words."""

from dataclasses import dataclass, replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chassis.refusal import Refusal
from offer_svc.domain.availability import Capacity
from offer_svc.domain.commands import (
    CancelOffer,
    Command,
    CreateOffer,
    ImportOffer,
    PublishOffer,
    ScheduleSessions,
    SetPriceList,
)
from offer_svc.domain.context import ProgramFacts
from offer_svc.domain.decide import decide
from offer_svc.domain.evolve import apply
from offer_svc.domain.offer import Offer, OfferDefinition
from offer_svc.domain.pricing import PriceList
from offer_svc.domain.schedule import SchedulePlan
from offer_svc.domain.window import Window
from tests.unit.offer.samples import CONTEXT, NOW, OFFER, PLAN, PRICES, PROGRAM, RELEASED, RETIRED, TIER, WEEKLY

SEATS = {"none": Capacity(), "some": Capacity(1, 9), "odd": Capacity(9, 1)}
PLANS = {
    "weekly": PLAN,
    "window": SchedulePlan(access_window=Window(NOW)),
    "past": SchedulePlan(access_window=Window(NOW - timedelta(days=2), NOW - timedelta(days=1))),
    "nothing": SchedulePlan(),
    "twice": SchedulePlan(weekly_rules=(WEEKLY, WEEKLY)),
}
LISTS = {"one": PRICES, "two": PriceList((TIER, replace(TIER, name="Two"))), "empty": PriceList(())}
PROGRAMS = {"released": RELEASED, "retired": RETIRED, "unknown": None}
BAD_PLANS = {"nothing": "SCHEDULE_INVALID", "twice": "SESSIONS_OVERLAP"}
NO_PROGRAM = {"unknown": "PROGRAM_NOT_RELEASED", "retired": "PROGRAM_RETIRED"}


@dataclass
class Model:
    """An offer as four words and a count."""

    state: str = ""
    seats: str = ""
    plan: str = ""
    prices: str = ""
    revision: int = 0

    def expect(self, kind: str, seats: str, plan: str, prices: str, program: str) -> str:
        """Follow one command; return its reason, `nothing` or `done`."""
        reason = self._own_fault(kind, seats, plan, prices) or self._state_fault(kind, seats, plan, prices)
        if not reason and kind in ("create", "publish", "import"):
            reason = NO_PROGRAM.get(program, "")
        if not reason and kind == "publish" and not (self.seats == "some" and self.plan and self.prices):
            reason = "OFFER_INCOMPLETE"
        if not reason and "past" in {"publish": self.plan, "import": plan}.get(kind, ""):
            reason = "OFFER_INCOMPLETE"
        return reason or self._do(kind, seats, plan, prices)

    def _own_fault(self, kind: str, seats: str, plan: str, prices: str) -> str:
        if kind in ("create", "import") and (seats == "odd" or (seats == "none" and kind == "import")):
            return "CAPACITY_INVALID"
        if kind in ("price", "import") and prices == "empty":
            return "PRICE_LIST_INVALID"
        return BAD_PLANS.get(plan, "") if kind in ("schedule", "import") else ""

    def _state_fault(self, kind: str, seats: str, plan: str, prices: str) -> str:
        if not self.state:
            return "" if kind in ("create", "import") else "RESOURCE_NOT_FOUND"
        if kind == "import" and self.state != "draft" and (self.seats, self.plan, self.prices) == (seats, plan, prices):
            return "nothing"
        if kind in ("create", "import"):
            return "RESOURCE_EXISTS"
        states = {"schedule": "draft", "publish": "draft", "price": "draft published", "cancel": "published"}
        return "" if self.state in states[kind].split() else "OFFER_STATE"

    def _do(self, kind: str, seats: str, plan: str, prices: str) -> str:
        before = (self.state, self.seats, self.plan, self.prices)
        if kind in ("create", "import"):
            self.state, self.seats = "draft", seats
        if kind in ("schedule", "import"):
            self.plan = plan
        if kind in ("price", "import"):
            self.prices = prices
        if kind in ("publish", "import"):
            self.state = "published"
        if kind == "cancel":
            self.state = "cancelled"
        if (self.state, self.seats, self.plan, self.prices) == before:
            return "nothing"
        self.revision += 1
        return "done"


def command(kind: str, seats: str, plan: str, prices: str) -> Command:
    """Build the command that the words mean."""
    definition = OfferDefinition(PROGRAM, SEATS[seats])
    commands: dict[str, Command] = {
        "create": CreateOffer(OFFER, definition),
        "schedule": ScheduleSessions(OFFER, PLANS[plan]),
        "price": SetPriceList(OFFER, LISTS[prices]),
        "publish": PublishOffer(OFFER),
        "cancel": CancelOffer(OFFER, "why"),
        "import": ImportOffer(OFFER, definition, PLANS[plan], LISTS[prices]),
    }
    return commands[kind]


def outcome(state: Offer | None, asked: Command, program: ProgramFacts | None) -> tuple[Offer | None, str]:
    """Run one command; return the state after it, and what became of it."""
    context = replace(CONTEXT, program=program)
    try:
        changes = decide(state, asked, context)
    except Refusal as refusal:
        return state, refusal.reason
    return (apply(state, changes, context), "done") if changes else (state, "nothing")


# The good words come more often, so that sequences get somewhere.
STEPS = st.tuples(
    st.sampled_from(["create", "schedule", "price", "publish", "publish", "cancel", "import"]),
    st.sampled_from(["some", "some", "some", *SEATS]),
    st.sampled_from(["weekly", "weekly", "window", *PLANS]),
    st.sampled_from(["one", "one", *LISTS]),
    st.sampled_from(["released", "released", "released", *PROGRAMS]),
)


@settings(max_examples=200)
@given(st.lists(STEPS, max_size=14))
def test_any_sequence_of_commands_goes_as_the_model_says(steps: list[tuple[str, str, str, str, str]]) -> None:
    model, state = Model(), None
    for kind, seats, plan, prices, program in steps:
        expected = model.expect(kind, seats, plan, prices, program)
        state, found = outcome(state, command(kind, seats, plan, prices), PROGRAMS[program])
        assert found == expected
        assert (state.state.name.lower() if state else "") == model.state
        assert (state.revision if state else 0) == model.revision
