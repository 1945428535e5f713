"""What a simulator remembers over a restart, which is also its side of the account of losses.

The file is JSON, replaced whole, at the start, every few seconds and at the end:

    {"terminals": {"ATM-0001": {"boot": 3, "seq": 120, "acknowledged": 118,
                                "boots": {"1": 500, "2": 33},
                                "stock": ["atm", [2000, 2500], [1312, 874], 12, 300]}}}

`seq` is the last message made in the current `boot`, `acknowledged` the last one up to which the
broker acknowledged every message, `boots` the same for earlier boots, and `stock` is what is in
the terminal, which a start does not change. What was acknowledged
must be stored, once; what was not (the machine stopped too soon) may be.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec

from simulator.errors import StateError
from simulator.supplies import Stock

Account = tuple[str, int, int, Mapping[int, int], Stock | None]
"""How far a terminal is: code, boot, seq, by boot what was acknowledged, and what is in it."""


class TerminalState(msgspec.Struct, frozen=True):
    """One terminal's entry."""

    boot: int
    seq: int = 0
    acknowledged: int = 0
    boots: dict[str, int] = msgspec.field(default_factory=dict)
    stock: Stock | None = None


class _Document(msgspec.Struct, frozen=True):
    terminals: dict[str, TerminalState]


class StateFile:
    """The file at `path`; terminals that are not played now keep their entry."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._terminals = _read(path)
        self._unsettled = False

    def begin(self, codes: Iterable[str]) -> dict[str, int]:
        """Give each terminal its next boot, and remember it before anything is said."""
        for code in codes:
            last = self._terminals.get(code)
            if last is None:
                self._terminals[code] = TerminalState(boot=1)
            else:
                boots = last.boots | {str(last.boot): last.acknowledged}
                self._terminals[code] = TerminalState(
                    boot=last.boot + 1, boots=boots, stock=last.stock
                )
        self._write()
        return {code: self._terminals[code].boot for code in codes}

    def booting(self, code: str, boot: int) -> None:
        """Note that a terminal starts anew; `settle` before it says anything in its new boot."""
        last = self._terminals[code]
        boots = last.boots | {str(last.boot): last.acknowledged}
        self._terminals[code] = TerminalState(boot, boots=boots, stock=last.stock)
        self._unsettled = True

    def settle(self) -> None:
        """Write what `booting` noted, if it is not written yet."""
        if self._unsettled:
            self._write()

    def stock(self, code: str) -> Stock | None:
        """What a terminal was left with."""
        return self._terminals[code].stock

    def save(self, played: Iterable[Account]) -> None:
        """Write how far each terminal is."""
        for code, boot, seq, acknowledged, stock in played:
            known = self._terminals[code].boots
            boots = known | {str(each): upto for each, upto in acknowledged.items()}
            upto = boots.pop(str(boot), 0)
            self._terminals[code] = TerminalState(boot, seq, upto, boots, stock)
        self._write()

    def _write(self) -> None:
        document = msgspec.json.encode(_Document(self._terminals))
        self._unsettled = False
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._path.with_name(f"{self._path.name}.new")
            fresh.write_bytes(document)
            fresh.replace(self._path)
        except OSError as error:
            raise StateError(f"{self._path}: {error.strerror}") from error


def read(path: Path) -> dict[str, TerminalState]:
    """What a simulator wrote; raises StateError when it is not there or cannot be read."""
    if not path.exists():
        raise StateError(f"{path} is not there: no simulator has run with it")
    return _read(path)


def _read(path: Path) -> dict[str, TerminalState]:
    try:
        return dict(msgspec.json.decode(path.read_bytes(), type=_Document).terminals)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise StateError(f"{path}: {error.strerror}") from error
    except msgspec.DecodeError as error:
        text = f"{path} is not a simulator's state ({error}); delete it to begin anew"
        raise StateError(text) from error
