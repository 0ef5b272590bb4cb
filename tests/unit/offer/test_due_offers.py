"""What is due of one offer is done one by one, whatever becomes of the first."""

from dataclasses import replace
from datetime import datetime
from typing import cast
from uuid import UUID

import pytest

from bus.commands.path import CommandCall
from offer_svc.adapters.due import DueOffers
from offer_svc.application.commands import Offers
from offer_svc.application.views import OfferViews
from offer_svc.domain.commands import Command, DecideAtDeadline, PromoteWaiting
from offer_svc.domain.offer import Offer
from tests.unit.offer.sale import HOUR, on_sale
from tests.unit.offer.samples import DEFINITION, NOW, OFFER


class Failing:
    """Fails at the first of the commands that it is given, and keeps all of them."""

    def __init__(self) -> None:
        self.given: list[Command] = []

    async def execute(self, command: Command, _call: CommandCall) -> object:
        """Take a command."""
        self.given.append(command)
        raise ArithmeticError(str(len(self.given)))


class One:
    """Knows one offer with a decision and promotions due."""

    async def at_present(self, _offer_id: UUID) -> tuple[Offer, datetime]:
        """Return it, at its deadline."""
        offer = on_sale(replace(DEFINITION, decision_deadline=NOW + HOUR)).offer
        return replace(offer, seats=replace(offer.seats, promotion_pending=True)), NOW + HOUR


async def test_a_due_command_that_fails_keeps_none_of_the_others_from_being_done() -> None:
    offers = Failing()
    duty = DueOffers(cast("Offers", offers), cast("OfferViews", One()))
    with pytest.raises(ArithmeticError, match=r"^1$"):
        await duty.perform(OFFER, CommandCall("timekeeper", "/due", ""))
    assert offers.given == [PromoteWaiting(OFFER), DecideAtDeadline(OFFER)]
