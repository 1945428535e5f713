"""The audit of loss: for each terminal and boot, what was sent, stored, doubled, missing.

Sent is what a boot's numbers prove: they grow by one from 1, so the highest is how many there were.
Of a terminal's first boot the count begins where we first heard it, for what came before may have
gone elsewhere. A gap wider than `fleet.ledger.WIDEST` is no loss but a jump of the counter: what is
missing there nobody can say. A journal of the sender's side (the simulator keeps one) also proves
what was sent last and never arrived; then every number counts.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.ledger import WIDEST

_SQL = load("tellergrid.audit", "loss")

Journal = Mapping[tuple[str, int], int]
"""What a sender says: the last acknowledged `seq` by terminal and boot."""


class JournalError(Exception):
    """A journal cannot be read; says why."""


class Account(msgspec.Struct, frozen=True):
    """One boot of one terminal. `stored` counts different messages, `doubled` rows too many,
    `jumps` how often its counter was set, `dropped` duplicates that were noticed and not stored."""

    terminal: str
    boot: int
    sent: int
    stored: int
    doubled: int
    missing: int
    jumps: int
    dropped: int

    @property
    def exact(self) -> bool:
        """Whether every message is there once, by numbers that say so."""
        return not self.doubled and not self.missing and not self.jumps


class _Stored(NamedTuple):
    terminal: str
    boot: int
    rows: int
    distinct: int
    lowest: int
    highest: int
    dropped: int
    first_boot: bool


class _Jumps(NamedTuple):
    """How often a counter was set, and how many numbers were left out."""

    times: int
    numbers: int


_NO_JUMPS = _Jumps(0, 0)


class _JournalBoot(msgspec.Struct):
    boot: int
    acknowledged: int
    boots: dict[str, int] = {}


class _JournalFile(msgspec.Struct):
    terminals: dict[str, _JournalBoot]


def read_journal(path: Path) -> Journal:
    """The simulator's state file as a journal; raises `JournalError`."""
    try:
        file = msgspec.json.decode(path.read_bytes(), type=_JournalFile)
    except (OSError, msgspec.DecodeError) as error:
        raise JournalError(f"{path}: {error}") from error
    said: dict[tuple[str, int], int] = {}
    for terminal, now in file.terminals.items():
        said |= {(terminal, int(boot)): last for boot, last in now.boots.items()}
        said[terminal, now.boot] = now.acknowledged
    return said


async def account(
    connection: AsyncConnection[TupleRow], terminal: str | None, journal: Journal | None
) -> list[Account]:
    """The accounts of a terminal, or of all, in order of terminal and boot."""
    cursor = await connection.execute(_SQL["stored"], {"terminal": terminal})
    stored = [_Stored(*row) for row in await cursor.fetchall()]
    jumps = await _jumps(connection, [each for each in stored if _may_jump(each, journal)], journal)
    accounts = [
        _account(each, journal, jumps.get((each.terminal, each.boot), _NO_JUMPS)) for each in stored
    ]
    return sorted([*accounts, *_unheard(stored, journal, terminal)], key=_order)


def _first(stored: _Stored, journal: Journal | None) -> int:
    return stored.lowest if stored.first_boot and journal is None else 1


def _may_jump(stored: _Stored, journal: Journal | None) -> bool:
    """Whether so much is missing, and no sender says that it sent it."""
    if (stored.terminal, stored.boot) in (journal or {}):
        return False
    return stored.highest - _first(stored, journal) + 1 - stored.distinct > WIDEST


async def _jumps(
    connection: AsyncConnection[TupleRow], stored: list[_Stored], journal: Journal | None
) -> dict[tuple[str, int], _Jumps]:
    if not stored:
        return {}
    asked = {
        "terminals": [each.terminal for each in stored],
        "boots": [each.boot for each in stored],
        "firsts": [_first(each, journal) for each in stored],
        "widest": WIDEST,
    }
    cursor = await connection.execute(_SQL["jumps"], asked)
    return {
        (terminal, boot): _Jumps(times, numbers)
        for terminal, boot, times, numbers in await cursor.fetchall()
    }


def _account(stored: _Stored, journal: Journal | None, jumps: _Jumps) -> Account:
    said = (journal or {}).get((stored.terminal, stored.boot), 0)
    sent = max(stored.highest, said) - _first(stored, journal) + 1 - jumps.numbers
    return Account(
        terminal=stored.terminal,
        boot=stored.boot,
        sent=sent,
        stored=stored.distinct,
        doubled=stored.rows - stored.distinct,
        missing=sent - stored.distinct,
        dropped=stored.dropped,
        jumps=jumps.times,
    )


def _unheard(
    stored: Iterable[_Stored], journal: Journal | None, terminal: str | None
) -> list[Account]:
    """Boots of which the journal knows and we have nothing at all."""
    known = {(each.terminal, each.boot) for each in stored}
    return [
        Account(code, boot, last, 0, 0, last, 0, 0)
        for (code, boot), last in (journal or {}).items()
        if (code, boot) not in known and last and terminal in (None, code)
    ]


def _order(each: Account) -> tuple[str, int]:
    return each.terminal, each.boot
