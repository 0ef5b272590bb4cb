import re
from pathlib import Path
from typing import Final

import pytest

from chassis.principal import Role
from program_svc.policy import POLICY

_PROTO: Final = Path(__file__).parents[3] / "protos/training/program/v1/program_service.proto"
_RPC: Final = re.compile(r"((?:  //[^\n]*\n)+)  rpc (\w+)\(")


def documented() -> dict[str, frozenset[Role]]:
    """Read the roles that the contract names for each RPC."""
    found = {}
    for comment, name in _RPC.findall(_PROTO.read_text(encoding="utf-8")):
        text = re.sub(r"\s*\n?\s*//\s*", " ", comment)
        roles = text.split("Roles:")[1].replace("an author or co-author of this program", "")
        found[name] = frozenset(map(Role, re.findall(r"\w+", roles.replace(" and", ""))))
    return found


@pytest.mark.parametrize(("rpc", "roles"), documented().items())
def test_the_policy_is_what_the_contract_says(rpc: str, roles: frozenset[Role]) -> None:
    assert POLICY.roles(f"/training.program.v1.ProgramService/{rpc}") == roles


def test_the_contract_names_the_roles_of_every_rpc() -> None:
    text = _PROTO.read_text(encoding="utf-8")
    assert set(documented()) == set(re.findall(r"^  rpc (\w+)\(", text, re.MULTILINE))
