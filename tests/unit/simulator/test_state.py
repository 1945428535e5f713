"""What is remembered over a restart."""

from pathlib import Path

import msgspec
import pytest

from simulator.errors import StateError
from simulator.state import StateFile, TerminalState, read


def test_each_start_is_the_next_boot_before_anything_is_said(tmp_path: Path) -> None:
    """Killed at once, the next start must not use the same boot again."""
    path = tmp_path / "deep" / "state.json"
    assert StateFile(path).begin(["A", "B"]) == {"A": 1, "B": 1}
    assert StateFile(path).begin(["A"]) == {"A": 2}
    assert read(path)["B"] == TerminalState(boot=1)


def test_the_account_of_every_boot_is_kept(tmp_path: Path) -> None:
    """What was acknowledged in earlier boots must still be stored today."""
    path = tmp_path / "state.json"
    first = StateFile(path)
    first.begin(["A"])
    first.save([("A", 1, 500, {1: 498})])
    second = StateFile(path)
    second.begin(["A"])
    second.save([("A", 2, 7, {2: 7})])
    second.booting("A", 3)
    second.save([("A", 3, 120, {2: 9, 3: 118})])
    assert msgspec.json.decode(path.read_bytes()) == {
        "terminals": {
            "A": {"boot": 3, "seq": 120, "acknowledged": 118, "boots": {"1": 498, "2": 9}}
        }
    }


def test_a_file_that_is_something_else_is_refused_with_advice(tmp_path: Path) -> None:
    """Beginning anew silently would use old boots again."""
    path = tmp_path / "state.json"
    path.write_text("[]")
    with pytest.raises(StateError, match="delete it"):
        StateFile(path)
    with pytest.raises(StateError, match="not there"):
        read(tmp_path / "none.json")
