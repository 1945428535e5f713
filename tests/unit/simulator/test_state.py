"""What is remembered over a restart."""

from pathlib import Path

import msgspec
import pytest

from simulator.behaviour import behaviour
from simulator.device import Device, Origin
from simulator.errors import StateError
from simulator.state import StateFile, TerminalState, read
from simulator.supplies import Stock


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
    first.save([("A", 1, 500, {1: 498}, None)])
    second = StateFile(path)
    second.begin(["A"])
    second.save([("A", 2, 7, {2: 7}, None)])
    second.booting("A", 3)
    second.save([("A", 3, 120, {2: 9, 3: 118}, None)])
    assert msgspec.json.decode(path.read_bytes()) == {
        "terminals": {
            "A": {
                "boot": 3,
                "seq": 120,
                "acknowledged": 118,
                "boots": {"1": 498, "2": 9},
                "stock": None,
            }
        }
    }


def test_what_is_in_a_terminal_is_there_after_a_start(tmp_path: Path) -> None:
    """Each start drew it anew: cash seemed to fall faster than customers can take it."""
    path = tmp_path / "state.json"
    used = Stock("atm", [2000] * 4, [1312, 1311, 1311, 1311], 12, 300)
    first = StateFile(path)
    first.begin(["ATM-0001"])
    first.save([("ATM-0001", 1, 500, {}, used)])
    second = StateFile(path)
    assert second.begin(["ATM-0001"]) == {"ATM-0001": 2}
    second.booting("ATM-0001", 3)
    assert StateFile(path).stock("ATM-0001") == used
    origin = Origin("ATM-0001", "atm", 1, 3, 0.0, stock=used)
    assert Device(origin, behaviour({})).stock == used
    # A scenario in which nothing runs out begins with more, whatever was left.
    assert Device(origin, behaviour({"stock_at_start": 0.9})).stock != used
    kiosk = Origin("ATM-0001", "kiosk", 1, 3, 0.0, stock=used)
    assert Device(kiosk, behaviour({})).stock.kind == "kiosk"


def test_a_file_that_is_something_else_is_refused_with_advice(tmp_path: Path) -> None:
    """Beginning anew silently would use old boots again."""
    path = tmp_path / "state.json"
    path.write_text("[]")
    with pytest.raises(StateError, match="delete it"):
        StateFile(path)
    with pytest.raises(StateError, match="not there"):
        read(tmp_path / "none.json")
