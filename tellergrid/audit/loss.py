"""The audit of loss: for each terminal and boot, what was sent, stored, doubled, missing.

Sent is what a boot's numbers prove: they grow by one from 1, so the highest is how many there were.
Of a terminal's first boot the count begins where we first heard it, for what came before may have
gone elsewhere. A journal of the sender's side (the simulator keeps one) also proves what was sent
last and never arrived; then every number counts.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("tellergrid.audit", "loss")

Journal = Mapping[tuple[str, int], int]
"""What a sender says: the last acknowledged `seq` by terminal and boot."""


class JournalError(Exception):
    """A journal cannot be read; says why."""


class Account(msgspec.Struct, frozen=True):
    """One boot of one terminal. `stored` counts different messages, `doubled` rows too many,
    `dropped` duplicates that were noticed and not stored."""

    terminal: str
    boot: int
    sent: int
    stored: int
    doubled: int
    missing: int
    dropped: int

    @property
    def exact(self) -> bool:
        """Whether every message is there once."""
        return not self.doubled and not self.missing


class _Stored(NamedTuple):
    terminal: str
    boot: int
    rows: int
    distinct: int
    lowest: int
    highest: int
    dropped: int
    first_boot: bool


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
    accounts = [_account(each, journal) for each in stored]
    return sorted([*accounts, *_unheard(stored, journal, terminal)], key=_order)


def _account(stored: _Stored, journal: Journal | None) -> Account:
    first = stored.lowest if stored.first_boot and journal is None else 1
    said = (journal or {}).get((stored.terminal, stored.boot), 0)
    sent = max(stored.highest, said) - first + 1
    return Account(
        terminal=stored.terminal,
        boot=stored.boot,
        sent=sent,
        stored=stored.distinct,
        doubled=stored.rows - stored.distinct,
        missing=sent - stored.distinct,
        dropped=stored.dropped,
    )


def _unheard(
    stored: Iterable[_Stored], journal: Journal | None, terminal: str | None
) -> list[Account]:
    """Boots of which the journal knows and we have nothing at all."""
    known = {(each.terminal, each.boot) for each in stored}
    return [
        Account(code, boot, last, 0, 0, last, 0)
        for (code, boot), last in (journal or {}).items()
        if (code, boot) not in known and last and terminal in (None, code)
    ]


def _order(each: Account) -> tuple[str, int]:
    return each.terminal, each.boot
