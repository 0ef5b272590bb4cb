"""Bounds that would forget what is still needed are refused when a service starts."""

import pytest

from chassis.settings import SettingsError, read
from offer_svc.settings import OfferSettings
from program_svc.settings import ProgramSettings


@pytest.fixture(autouse=True)
def database_url(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give what has no default."""
    for service in ("OFFER", "PROGRAM"):
        monkeypatch.setenv(f"{service}_DATABASE_URL", "postgresql://localhost/x")


def test_the_bounds_are_five_weeks_ten_years_and_a_week_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OFFER_JOURNAL_DAYS", "15")
    monkeypatch.setenv("TRAINING_IDEMPOTENCY_DAYS", "9")
    program, offer = read(ProgramSettings), read(OfferSettings)
    assert (program.journal_days, program.history_days, program.idempotency_days) == (35, 3650, 9)
    assert (offer.journal_days, offer.history_days, offer.idempotency_days) == (15, 3650, 9)


@pytest.mark.parametrize("days", ["14", "0", "-3"])
def test_a_journal_that_does_not_outlive_the_stream_is_refused(monkeypatch: pytest.MonkeyPatch, days: str) -> None:
    monkeypatch.setenv("PROGRAM_JOURNAL_DAYS", days)
    with pytest.raises(SettingsError, match=r"^PROGRAM_JOURNAL_DAYS: .*14"):
        read(ProgramSettings)


def test_a_history_that_does_not_outlive_the_journal_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROGRAM_JOURNAL_DAYS", "100")
    monkeypatch.setenv("PROGRAM_HISTORY_DAYS", "99")
    with pytest.raises(SettingsError, match=r"^PROGRAM_HISTORY_DAYS: .* 100 days"):
        read(ProgramSettings)
