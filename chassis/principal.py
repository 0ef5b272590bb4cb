"""Who calls: principals, their roles, and the port that names them."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from chassis.errors import Unauthenticated

Metadata = Mapping[str, str | bytes]
"""The metadata of one call; of a repeated key the last value counts."""

PRINCIPAL_KEY: Final = "training-principal"
"""The metadata key that names the caller in development."""

TIMEKEEPER: Final = "timekeeper"
"""In whose name a service itself carries out what becomes due; no caller has this name."""


class Role(StrEnum):
    """What a principal may do; the policy maps every method to roles."""

    AUTHOR = "author"
    REVIEWER = "reviewer"
    PUBLISHER = "publisher"
    OFFER_MANAGER = "offer_manager"
    SALES = "sales"
    READER = "reader"
    OPERATOR = "operator"
    SERVICE = "service"


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller who is known by name; commands record it."""

    name: str
    roles: frozenset[Role]


class Principals(Protocol):
    """Names the caller of every call."""

    def authenticate(self, metadata: Metadata) -> Principal:
        """Return the principal whose credential the metadata carry, or raise `Unauthenticated`.

        It runs on the event loop before every call: it must neither block nor wait.
        """
        ...


class NoPrincipals:
    """Knows nobody: every call is refused. For processes that are given no kind of credential."""

    def authenticate(self, metadata: Metadata) -> Principal:
        """Refuse the call."""
        del metadata
        raise Unauthenticated.because("this process accepts no kind of credential")


class DevelopmentPrincipals:
    """Believes what callers say of themselves; for loopback only (the settings see to it).

    The metadata `training-principal: alice;roles=author,reviewer` names the caller. Without it the caller is `dev`, who
    has every role, so that the four-eyes rule still bites. Readings are kept, since few callers make most calls.
    """

    KEPT: Final = 1024

    def __init__(self) -> None:
        self._everyone = Principal("dev", frozenset(Role))
        self._known: dict[str | bytes, Principal] = {}

    def authenticate(self, metadata: Metadata) -> Principal:
        """Return the principal that the caller claims to be."""
        claim = metadata.get(PRINCIPAL_KEY)
        if claim is None:
            return self._everyone
        known = self._known.get(claim)
        if known is None:
            known = read_claim(claim)
            if len(self._known) >= self.KEPT:
                self._known.clear()
            self._known[claim] = known
        return known


def read_claim(claim: str | bytes) -> Principal:
    """Read `name;roles=role,role`."""
    text = claim.decode("ascii", "replace") if isinstance(claim, bytes) else claim
    name, separator, rest = (part.strip() for part in text.partition(";"))
    key, equals, listed = (part.strip() for part in rest.partition("="))
    named = bool(name) and name.isprintable() and len(name) <= 128  # noqa: PLR2004 - the longest name that is kept
    if not named or not separator or key != "roles" or not equals:
        raise Unauthenticated.because(f"`{PRINCIPAL_KEY}` must read `name;roles=role,role`")
    if name == TIMEKEEPER:
        raise Unauthenticated.because(f"the name `{TIMEKEEPER}` is reserved for what services do by themselves")
    roles = [role.strip() for role in listed.split(",") if role.strip()]
    unknown = sorted(set(roles) - set(Role))
    if unknown:
        raise Unauthenticated.because(f"`{PRINCIPAL_KEY}` names a role that does not exist; roles: {', '.join(Role)}")
    return Principal(name, frozenset(Role(role) for role in roles))
