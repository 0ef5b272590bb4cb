import pytest

from chassis.errors import Unauthenticated
from chassis.policy import ANYONE, INFRASTRUCTURE, Policy
from chassis.principal import DevelopmentPrincipals, NoPrincipals, Principal, Role
from chassis.startup import StartFailure


def test_a_caller_is_who_they_say() -> None:
    alice = DevelopmentPrincipals().authenticate({"training-principal": "alice;roles=author, reviewer"})
    assert alice == Principal("alice", frozenset({Role.AUTHOR, Role.REVIEWER}))


def test_a_caller_may_have_no_role() -> None:
    assert DevelopmentPrincipals().authenticate({"training-principal": "eve;roles="}).roles == frozenset()


def test_who_says_nothing_is_dev_with_every_role() -> None:
    assert DevelopmentPrincipals().authenticate({}) == Principal("dev", frozenset(Role))


@pytest.mark.parametrize(
    "claim",
    [
        "",
        "alice",
        ";roles=author",
        "alice;roles",
        "alice;role=author",
        "alice;roles=king",
        "a\nb;roles=author",
        b"\xff",
    ],
)
def test_what_cannot_be_read_is_refused_without_being_repeated(claim: str | bytes) -> None:
    with pytest.raises(Unauthenticated) as refused:
        DevelopmentPrincipals().authenticate({"training-principal": claim})
    assert "king" not in str(refused.value)


def test_nobody_is_the_timekeeper() -> None:
    with pytest.raises(Unauthenticated, match="the name `timekeeper` is reserved"):
        DevelopmentPrincipals().authenticate({"training-principal": "timekeeper;roles=author"})
    assert DevelopmentPrincipals().authenticate({"training-principal": "Timekeepers;roles="}).name == "Timekeepers"


def test_the_memory_of_claims_is_bounded() -> None:
    principals = DevelopmentPrincipals()
    for number in range(3 * principals.KEPT):
        principals.authenticate({"training-principal": f"p{number};roles=author"})
    assert len(principals._known) <= principals.KEPT


def test_a_process_without_credentials_knows_nobody() -> None:
    with pytest.raises(Unauthenticated):
        NoPrincipals().authenticate({"training-principal": "alice;roles=author"})


def test_what_is_not_listed_is_denied() -> None:
    assert Policy({}).roles("/a.B/C") == frozenset()


def test_a_policy_that_fits_what_is_served_passes() -> None:
    Policy({"/a.B/C": {Role.READER}, "/a.B/D": ANYONE}).check({*INFRASTRUCTURE, "/a.B/C", "/a.B/D"})


def test_a_policy_names_every_difference() -> None:
    with pytest.raises(StartFailure) as failure:
        Policy({"/a.B/C": {Role.READER}, "/a.B/E": set()}).check({*INFRASTRUCTURE, "/a.B/D", "/a.B/E"})
    assert str(failure.value) == (
        "/a.B/C is listed in the policy, but not served; "
        "/a.B/D is served, but the policy does not list it; "
        "/a.B/E has no role in the policy"
    )
