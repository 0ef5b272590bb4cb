import os
from typing import ClassVar

import pytest
from pydantic import Field, ValidationError

from chassis.settings import Address, ListenAddress, ServiceSettings, SettingsError, load, read


class OrchardSettings(ServiceSettings):
    """Settings of a service that does not exist."""

    prefix: ClassVar[str] = "ORCHARD_"

    grpc_address: ListenAddress = Address("127.0.0.1", 50051)
    metrics_address: ListenAddress = Address("127.0.0.1", 9101)
    trees: int = 3
    orchard_id: str = Field(default="main", validation_alias="ORCHARD_ID")


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.upper().startswith(("ORCHARD_", "TRAINING_", "NATS_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("ORCHARD_DATABASE_URL", "postgresql://user:secret@127.0.0.1/orchard")


def test_settings_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHARD_GRPC_ADDRESS", "[::1]:7000")
    monkeypatch.setenv("ORCHARD_TREES", "7")
    monkeypatch.setenv("ORCHARD_ID", "north")
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:7001")
    settings = read(OrchardSettings)
    assert (settings.grpc_address, settings.trees, settings.orchard_id) == (Address("::1", 7000), 7, "north")
    assert settings.nats_url.get_secret_value() == "nats://127.0.0.1:7001"
    assert settings.default_deadline_seconds == 30


def test_a_services_own_value_wins_over_the_shared_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINING_LOG_LEVEL", "debug")
    monkeypatch.setenv("TRAINING_LOG_FORMAT", "console")
    monkeypatch.setenv("ORCHARD_LOG_LEVEL", "error")
    settings = read(OrchardSettings)
    assert (settings.log_level, settings.log_format) == ("error", "console")


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    settings = read(OrchardSettings)
    with pytest.raises(ValidationError):
        settings.trees = 4  # type: ignore[misc] # what the test is about
    assert "secret" not in repr(settings)


def test_every_wrong_setting_is_reported_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORCHARD_DATABASE_URL")
    monkeypatch.setenv("ORCHARD_GRPC_ADDRESS", "nowhere")
    monkeypatch.setenv("TRAINING_DRAIN_GRACE_SECONDS", "-1")
    monkeypatch.setenv("ORCHARD_TREEES", "7")
    monkeypatch.setenv("TRAINING_DATABASE_URL", "postgresql://shared")
    monkeypatch.setenv("TRAINING_DATA_DIR", "/somewhere")
    monkeypatch.setenv("VINEYARD_WHATEVER", "is not ours")
    with pytest.raises(SettingsError) as refused:
        read(OrchardSettings)
    assert sorted(refused.value.problems) == [
        "ORCHARD_DATABASE_URL: is required",
        "ORCHARD_GRPC_ADDRESS: must be host:port, such as 127.0.0.1:50051",
        "ORCHARD_TREEES: there is no such setting",
        "TRAINING_DATABASE_URL: there is no such setting",
        "TRAINING_DRAIN_GRACE_SECONDS: Input should be greater than 0",
    ]


def test_wrong_settings_end_the_process_with_a_readable_list(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ORCHARD_TREES", "many")
    with pytest.raises(SystemExit) as exit_:
        load(OrchardSettings)
    assert exit_.value.code == 78
    told = capsys.readouterr().err
    assert told.startswith("the settings are wrong:\n  ORCHARD_TREES: Input should be a valid integer")


@pytest.mark.parametrize("name", ["ORCHARD_GRPC_ADDRESS", "ORCHARD_METRICS_ADDRESS"])
def test_development_principals_stay_on_loopback(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "0.0.0.0:50051")
    with pytest.raises(SettingsError, match="ORCHARD_DEVELOPMENT_PRINCIPALS=false"):
        read(OrchardSettings)
    monkeypatch.setenv("ORCHARD_DEVELOPMENT_PRINCIPALS", "false")
    assert not read(OrchardSettings).development_principals


@pytest.mark.parametrize(
    "text", ["", ":1", "host", "host:", "host:70000", "host:-1", "::1:80", "[host]:80", "a b:1", "host:٣"]
)
def test_an_address_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="host:port"):
        Address.parse(text)


@pytest.mark.parametrize("text", ["localhost:0", "127.0.0.1:50051", "[::1]:1"])
def test_an_address_is_written_as_it_is_read(text: str) -> None:
    assert str(Address.parse(text)) == text
    assert Address.parse(text).loopback
