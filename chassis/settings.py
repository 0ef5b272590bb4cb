"""Settings: read once from the environment into a frozen object, every wrong one reported by name.

Each service has a prefix of its own (`PROGRAM_`, `OFFER_`, `CATALOGUE_`); what services may share can also be given to
all of them as `TRAINING_…`, and the service's own value wins. A variable with one of these prefixes that no setting
knows is refused: it is a typing error that would otherwise be found in production.
"""

import ipaddress
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import BeforeValidator, Field, PositiveFloat, PositiveInt, SecretStr, ValidationError, model_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, EnvSettingsSource, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from pydantic_settings import SettingsError as SourceError

from chassis.startup import EX_CONFIG

SHARED_PREFIX: Final = "TRAINING_"
OF_OTHERS: Final = frozenset(
    {
        "TRAINING_DATA_DIR",
        "TRAINING_HISTORY_DAYS",
        "TRAINING_IDEMPOTENCY_DAYS",
        "TRAINING_JOURNAL_DAYS",
        "TRAINING_STREAM_MAX_BYTES",
        "TRAINING_STREAM_REPLICAS",
    }
)
"""Variables with the shared prefix that not every process has a use for: the stack's, and the command services'."""


class SettingsError(Exception):
    """Settings are wrong or unknown; `problems` has one line for each, which begins with the variable's name."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems: Final = tuple(problems)


@dataclass(frozen=True, slots=True)
class Address:
    """A host and a port to listen at, written `host:port` or `[ipv6]:port`; port 0 lets the system choose."""

    host: str
    port: int

    def __str__(self) -> str:
        """Write it as it is read."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `host:port`."""
        host, colon, port = text.strip().rpartition(":")
        bracketed = host.startswith("[") and host.endswith("]")
        host = host[1:-1] if bracketed else host
        well_formed = bool(colon and host) and bracketed == (":" in host) and not any(map(str.isspace, host))
        if not well_formed or not (port.isascii() and port.isdigit()) or int(port) > 65535:  # noqa: PLR2004 - the last port
            raise ValueError("must be host:port, such as 127.0.0.1:50051")
        return cls(host, int(port))

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach it."""
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


def _address(value: object) -> object:
    """Let pydantic read an address from text."""
    return Address.parse(value) if isinstance(value, str) else value


ListenAddress = Annotated[Address, NoDecode, BeforeValidator(_address)]


class _Environment(EnvSettingsSource):
    """The variables with one prefix, for the settings that may be given with it."""

    def __init__(self, settings: type[BaseSettings], prefix: str, fields: frozenset[str] | None = None) -> None:
        super().__init__(settings, env_prefix=prefix, case_sensitive=False)
        self._fields = fields

    def __call__(self) -> dict[str, Any]:
        """Return what the environment says, without what does not belong to this prefix."""
        values = super().__call__()
        return values if self._fields is None else {key: values[key] for key in values if key in self._fields}


class ServiceSettings(BaseSettings):
    """What every process needs to know; a service's own settings extend it.

    A subclass names its `prefix`, gives `grpc_address` and `metrics_address` their defaults and adds its own fields, to
    `shared` those that may be given as `TRAINING_…`. A field with an alias is read from exactly that variable.
    """

    model_config = SettingsConfigDict(frozen=True, extra="forbid", populate_by_name=True, hide_input_in_errors=True)

    prefix: ClassVar[str]
    shared: ClassVar[frozenset[str]] = frozenset(
        {
            "access_log",
            "deadline_cap_seconds",
            "default_deadline_seconds",
            "development_principals",
            "drain_grace_seconds",
            "fresh_seconds",
            "log_format",
            "log_level",
            "stream_limit",
            "unary_limit",
        }
    )

    grpc_address: ListenAddress
    metrics_address: ListenAddress
    database_url: SecretStr
    nats_url: SecretStr = Field(default=SecretStr("nats://127.0.0.1:4222"), validation_alias="NATS_URL")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["json", "console"] = "json"
    access_log: bool = True
    development_principals: bool = True
    drain_grace_seconds: PositiveFloat = 10.0
    default_deadline_seconds: PositiveFloat = 30.0
    deadline_cap_seconds: PositiveFloat = 300.0
    fresh_seconds: PositiveFloat = 10.0  # older than this, what is copied or waits to be published is not fresh
    unary_limit: PositiveInt = 1000
    stream_limit: PositiveInt = 1000

    @model_validator(mode="after")
    def _development_stays_at_home(self) -> Self:
        """Refuse to believe callers from other machines what they say of themselves."""
        reachable = [
            str(value) for value in self.__dict__.values() if isinstance(value, Address) and not value.loopback
        ]
        if self.development_principals and reachable:
            raise ValueError(
                f"development principals need loopback addresses, but {', '.join(reachable)} can be reached from "
                f"outside: set {self.prefix}DEVELOPMENT_PRINCIPALS=false"
            )
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments, then the service's own variables, then the shared ones."""
        del env_settings, dotenv_settings, file_secret_settings
        own = _Environment(settings_cls, cls.prefix)
        return init_settings, own, _Environment(settings_cls, SHARED_PREFIX, cls.shared)

    @classmethod
    def variables(cls) -> Mapping[str, str]:
        """Return every environment variable that is read, with its field."""
        known: dict[str, str] = {}
        for name, field in cls.model_fields.items():
            if isinstance(field.validation_alias, str):
                known[field.validation_alias.upper()] = name
                continue
            known[f"{cls.prefix}{name}".upper()] = name
            if name in cls.shared:
                known[f"{SHARED_PREFIX}{name}".upper()] = name
        return known


Settings = TypeVar("Settings", bound=ServiceSettings)


def read(settings: type[Settings]) -> Settings:
    """Read settings from the environment, or raise `SettingsError` with every problem."""
    variables = settings.variables()
    prefixes = (settings.prefix, SHARED_PREFIX)
    names = (name.upper() for name in os.environ)
    unknown = sorted(name for name in names if name.startswith(prefixes) and name not in variables.keys() | OF_OTHERS)
    problems = [f"{name}: there is no such setting" for name in unknown]
    try:
        found = settings()
    except ValidationError as error:
        details = error.errors(include_url=False, include_context=False, include_input=False)
        problems += [_problem(settings, detail) for detail in details]
        raise SettingsError(problems) from None
    except SourceError as error:  # a list or a table that is not JSON; the message names the field
        raise SettingsError([*problems, str(error)]) from None
    if problems:
        raise SettingsError(problems)
    return found


def load(settings: type[Settings]) -> Settings:
    """Read settings, or list every problem on stderr and exit with EX_CONFIG."""
    try:
        return read(settings)
    except SettingsError as error:
        lines = "".join(f"  {problem}\n" for problem in error.problems)
        sys.stderr.write(f"the settings are wrong:\n{lines}")
        raise SystemExit(EX_CONFIG) from None


def _problem(settings: type[ServiceSettings], detail: ErrorDetails) -> str:
    """Say what is wrong with a setting, under the name of the variable that set it; values may be secret."""
    message = detail["msg"].removeprefix("Value error, ")
    if not detail["loc"]:
        return message
    told = str(detail["loc"][0])
    names = [name for name, field in settings.variables().items() if told in (name, field)]
    given = {name.upper() for name in os.environ}
    variable = next((name for name in names if name in given), names[0] if names else told)
    return f"{variable}: {'is required' if detail['type'] == 'missing' else message}"
