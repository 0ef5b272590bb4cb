from pathlib import Path

import pytest

from trainingctl.done_rows import DoneRows, StateMismatch

ADDRESS = "127.0.0.1:50051"


def test_rows_and_token_are_known_in_the_next_run(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with DoneRows(path, "programs", ADDRESS) as done:
        done.add("a", "token 1")
        done.add("b", "token 2")
        assert "a" in done
        assert "c" not in done
    with DoneRows(path, "programs", ADDRESS) as done:
        done.add("c", "token 3")
    with DoneRows(path, "programs", ADDRESS) as done:
        assert all(key in done for key in "abc")
        assert done.token == "token 3"


def test_the_token_is_never_behind_the_rows_wherever_the_file_is_cut_off(tmp_path: Path) -> None:
    path = tmp_path / "state"
    with DoneRows(path, "programs", ADDRESS) as done:
        for number in range(1, 6):
            done.add(f"key {number}", f"token {number}")
            done._write()
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with DoneRows(path, "programs", ADDRESS) as done:
            known = [number for number in range(1, 6) if f"key {number}" in done]
            token = int(done.token.removeprefix("token ") or 0)
            assert known == list(range(1, len(known) + 1))
            assert token >= len(known)
            done.add("later", f"token {token}")
        with DoneRows(path, "programs", ADDRESS) as done:
            assert "later" in done
            assert all(f"key {number}" in done for number in known)


@pytest.mark.parametrize(("kind", "address"), [("offers", ADDRESS), ("programs", "127.0.0.1:1")])
def test_the_state_of_another_import_is_not_used(tmp_path: Path, kind: str, address: str) -> None:
    path = tmp_path / "state"
    with DoneRows(path, "programs", ADDRESS) as done:
        done.add("a", "")
    before = path.read_bytes()
    with pytest.raises(StateMismatch, match="programs"), DoneRows(path, kind, address):
        pass
    assert path.read_bytes() == before


def test_a_file_that_is_no_state_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text('{"row_id": "a"}\n')
    with pytest.raises(StateMismatch), DoneRows(path, "programs", ADDRESS):
        pass
    assert path.read_text() == '{"row_id": "a"}\n'
