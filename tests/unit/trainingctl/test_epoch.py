import json
from typing import ClassVar

from training.ops.v1 import operations_service_pb2 as pb

from chassis.refusal import Refusal, Violation
from tests.unit.trainingctl.prepared import platform

NEW = "019a0000-0000-7000-8000-0000000000e2"
BEFORE = "019a0000-0000-7000-8000-0000000000e1"
BEGUN = pb.BeginEpochResponse(epoch=NEW, previous_epoch=BEFORE)
BEGIN = ("epoch", "begin", "--source", "offer", "--cause", "a copy of its files")


class RoleMissing(Refusal):
    """The caller lacks a role."""

    reason: ClassVar[str] = "ROLE_MISSING"


class InvalidField(Refusal):
    """A field breaks its rule."""

    reason: ClassVar[str] = "INVALID_FIELD"


async def test_it_is_begun_at_the_source_that_was_named_without_a_question_if_so_told() -> None:
    async with platform("program", "catalogue") as whole:
        whole.offer.answers["BeginEpoch"] = BEGUN
        done = await whole.run(*BEGIN, "--yes")
        (request,) = whole.offer.asked("BeginEpoch")
    assert (done.exit_code, done.stdout) == (0, f"offer is in epoch {NEW} now, before in {BEFORE}\n")
    assert request == pb.BeginEpochRequest(cause="a copy of its files")


async def test_it_is_asked_whether_to() -> None:
    async with platform("program", "catalogue") as whole:
        whole.offer.answers["BeginEpoch"] = BEGUN
        assert (await whole.run(*BEGIN, stdin="n\n")).exit_code == 1
        assert not whole.offer.asked("BeginEpoch")
        agreed = await whole.run(*BEGIN, "--json", stdin="y\n")
    assert json.loads(agreed.stdout) == {"epoch": NEW, "previous_epoch": BEFORE}
    assert "will synchronise anew" in agreed.stderr


async def test_nobody_there_to_be_asked_is_no_consent() -> None:
    async with platform("program", "catalogue") as whole:
        done = await whole.run(*BEGIN)
        assert not whole.offer.asked("BeginEpoch")
    assert done.exit_code == 2


async def test_a_role_that_is_missing_and_a_field_that_is_wrong_are_one_line_each() -> None:
    async with platform("program", "catalogue") as whole:
        refused = RoleMissing("The method needs a role.", {"roles": "operator"})
        long = InvalidField("A field breaks its rule.", violations=(Violation("cause", "max_len", "501", "500"),))
        whole.offer.answers["BeginEpoch"] = [refused, long]
        first, second = await whole.run(*BEGIN, "--yes"), await whole.run(*BEGIN, "--yes")
    assert first.exit_code == second.exit_code == 4
    assert first.stderr.endswith(" refused: ROLE_MISSING: The method needs a role. (roles=operator)\n")
    assert "INVALID_FIELD: A field breaks its rule. (cause: " in second.stderr
    assert second.stderr.count("\n") == 1
