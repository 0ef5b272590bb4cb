"""The settings of the offer service: what can be set, and what can't be meant."""

from datetime import timedelta

import pytest
from pydantic import SecretStr, ValidationError

from offer_svc.domain.context import Bounds, Rules
from offer_svc.settings import OfferSettings

DATABASE = SecretStr("postgresql://nowhere")


def test_the_defaults_are_the_domains() -> None:
    settings = OfferSettings(database_url=DATABASE)
    assert settings.bounds() == Bounds()
    assert settings.rules() == Rules()


def test_the_times_of_selling_can_be_set() -> None:
    settings = OfferSettings(
        database_url=DATABASE,
        quote_minutes=1,
        hold_minutes=2,
        longest_hold_minutes=3,
        promotion_hours=4,
        leave_days=5,
        promotions_per_revision=6,
    )
    assert settings.rules() == Rules(
        quote=timedelta(minutes=1),
        hold=timedelta(minutes=2),
        longest_hold=timedelta(minutes=3),
        promotion_hold=timedelta(hours=4),
        leave_window=timedelta(days=5),
        most_promotions=6,
    )


def test_a_hold_is_not_longer_than_it_may_ever_be() -> None:
    with pytest.raises(ValidationError, match="OFFER_HOLD_MINUTES: must not exceed OFFER_LONGEST_HOLD_MINUTES"):
        OfferSettings(database_url=DATABASE, hold_minutes=61)
