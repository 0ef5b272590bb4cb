import asyncio
import os
import sys
from pathlib import Path

import pytest
from training.program.v1 import program_pb2 as pb

from chassis.startup import EX_UNAVAILABLE, StartFailure
from program_svc.domain.context import DEFAULT_RULES
from program_svc.domain.gate_rules import Length, Rule
from program_svc.rules_file import read_rules
from tests.integration.program.conftest import Serve
from tests.integration.program.desk import ANNA, PIA, RAJ, RUTH
from tests.integration.refusals import refused

EVERYTHING = """
approvals_needed = 2
max_open_reviews = 5
comment_limit = 10
exempt_fields = ["tags", "audience"]

[gate]
minimum_modules = 3
word_share_percent = 30
title = { minimum = 10 }
summary = { minimum = 1, maximum = 400 }
never_waivable = ["plan.length"]
step_words = { en = { replace = ["Stride"] } }
step_units = { en = { extend = ["Lap"] } }
maximum_bytes = 1000

[gate.measurable_verbs]
en = { extend = ["Juggle"] }
nl = { replace = ["bepalen"] }
"""


def written(folder: Path, text: str) -> Path:
    file = folder / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_an_empty_file_leaves_the_rules_as_they_are(tmp_path: Path) -> None:
    assert read_rules(written(tmp_path, "")) == DEFAULT_RULES


def test_what_is_given_takes_the_place_of_what_is_there_and_all_else_stays(tmp_path: Path) -> None:
    rules, was = read_rules(written(tmp_path, EVERYTHING)), DEFAULT_RULES.gate
    assert (rules.approvals_needed, rules.max_open_reviews, rules.comment_limit) == (2, 5, 10)
    assert rules.exempt_fields == {"tags", "audience"}
    gate = rules.gate
    assert (gate.minimum_modules, gate.word_share_percent, gate.minimum_outcomes) == (3, 30, was.minimum_outcomes)
    assert (gate.title, gate.summary, gate.plan) == (Length(10, was.title.maximum), Length(1, 400), was.plan)
    assert gate.never_waivable == was.never_waivable | {Rule.PLAN_LENGTH}
    assert gate.measurable_verbs["en"] == was.measurable_verbs["en"] | {"juggle"}
    assert gate.measurable_verbs["nl"] == {"bepalen"}
    assert gate.measurable_verbs["de"] == was.measurable_verbs["de"]
    assert gate.step_words["en"] == {"stride"}
    assert gate.step_units["en"] == was.step_units["en"] | {"lap"}
    assert gate.maximum_bytes == 1000


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("approval_needed = 1", "approval_needed"),
        ("approvals_needed = 0", "approvals_needed"),
        ("approvals_needed = true", "approvals_needed"),
        ("max_open_reviews = 101", "max_open_reviews"),
        ('exempt_fields = ["name"]', "exempt_fields.0"),
        ("[gate]\nminimum_module = 3", "gate.minimum_module"),
        ("[gate]\ntitle = { minimum = 300 }", "title: the maximum 200 is less than the minimum 300"),
        ("[gate]\ntitle = { least = 3 }", "gate.title.least"),
        ('[gate]\nnever_waivable = ["plan"]', "gate.never_waivable.0"),
        ("[gate]\nmaximum_bytes = 491521", "gate.maximum_bytes"),
        ("[gate.measurable_verbs]\nen = {}", "gate.measurable_verbs.en"),
        ('[gate.measurable_verbs]\nen = { extend = ["two words"] }', "gate.measurable_verbs.en.extend.0"),
        ('[gate.measurable_verbs]\nen = { extend = ["a"], replace = ["b"] }', "gate.measurable_verbs.en"),
        ('[gate.measurable_verbs]\nEnglish = { extend = ["a"] }', "gate.measurable_verbs.English"),
        ("[gate", "can't be read"),
    ],
)
def test_what_is_wrong_is_told_by_its_key(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(StartFailure) as failure:
        read_rules(written(tmp_path, text))
    assert named in str(failure.value)


def test_a_file_that_is_not_there_or_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(StartFailure, match="can't be read"):
        read_rules(tmp_path / "none.toml")
    (tmp_path / "rules.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(StartFailure, match="can't be read"):
        read_rules(tmp_path / "rules.toml")


async def test_a_service_with_wrong_rules_does_not_start_and_says_which(tmp_path: Path) -> None:
    file = written(tmp_path, "approvals = 1\n[gate]\nminimum_modules = -1\n")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "program_svc"),
        stderr=asyncio.subprocess.PIPE,
        env={
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "PROGRAM_DATABASE_URL": "postgresql://127.0.0.1:1/none",
            "PROGRAM_RULES_FILE": str(file),
        },
    )
    _, errors = await process.communicate()
    assert process.returncode == EX_UNAVAILABLE
    assert "approvals: " in errors.decode()
    assert "gate.minimum_modules: " in errors.decode()


async def test_the_service_keeps_the_rules_of_its_file(serve: Serve, tmp_path: Path) -> None:
    async with serve(written(tmp_path, EVERYTHING)) as desk:
        made = await desk.in_review()
        first = await desk.do("ApproveProgram", RAJ, made.program_id)
        assert first.working.state == pb.Program.STATE_IN_REVIEW
        second = await desk.do("ApproveProgram", RUTH, made.program_id)
        assert second.working.state == pb.Program.STATE_APPROVED
        exempt = await desk.do("UpdateProgram", ANNA, made.program_id, content=pb.ProgramContent(audience="All"))
        assert exempt.working.state == pb.Program.STATE_APPROVED
        told = await refused(desk.do("ReleaseProgram", PIA, made.program_id))
        assert told.rules == ["agenda.modules"]
        assert (await desk.register("raj")).max_open_reviews == 5
