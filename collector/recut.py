"""Cuts the intervals of terminals anew, from all that is stored by now, what came late too.

What came late was stored and not judged: the terminal had said other things since. Here everything
is judged once more, in the order in which it was said, each message as if it had come in time. That
the connection was down stays so: births and last wills are taken as they arrived.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db import history
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.changes import Change, Transition
from fleet.rules.replay import Heard, Replay, lead
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Presence

_SQL = load("collector", "recut")


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one state, and the rules that made it so."""

    state: ServiceState
    begin: datetime
    end: datetime
    causes: tuple[str, ...]


class _States(Replay):
    """A replay that remembers the service states of one terminal."""

    def __init__(self, catalogue: Catalogue, terminal: Terminal, since: datetime) -> None:
        self.transitions: list[Transition] = []
        super().__init__(catalogue.selection(), [terminal], since, terminal.region)

    def _take(self, change: Change) -> None:
        if isinstance(change, Transition):
            self.transitions.append(change)
        super()._take(change)


async def recut(
    connection: AsyncConnection[TupleRow],
    catalogue: Catalogue,
    terminal: str,
    since: datetime,
    until: datetime,
) -> list[Stretch]:
    """Replace what is recorded of a terminal from `since` to `until`, in one transaction.

    Returns what is recorded now; nothing where no such terminal is. Faults and tickets stay as they
    were: people acted on them.
    """
    async with connection.transaction():
        start = since - lead(catalogue.rules)
        [(now,)] = await (await connection.execute(_SQL["now"])).fetchall()
        found = await history.terminals(connection, start, codes=[terminal])
        if not found:
            return []
        heard = [one async for one in history.heard(connection, found, start, now)]
        replay = _States(catalogue, found[0], start)
        for one in in_time(heard, until):
            replay.hear(one)
        replay.pass_time(until)
        made = list(stretches(replay.transitions, since, until))
        if made:
            await _write(connection, found[0].id, made, until)
    return made


def in_time(heard: Sequence[Heard], until: datetime) -> list[Heard]:
    """One terminal's messages as they were said, each come as soon as the quickest of them came."""
    said = [one for one in heard if not isinstance(one.message, Presence)]
    lag = min((one.at - one.message.ts for one in said), default=None)
    prompt = [
        one
        if lag is None or isinstance(one.message, Presence)
        else Heard(one.message.ts + lag, one.terminal_id, one.message, one.retained)
        for one in heard
    ]
    return sorted((one for one in prompt if one.at < until), key=lambda one: one.at)


def stretches(
    transitions: Sequence[Transition], since: datetime, until: datetime
) -> Iterator[Stretch]:
    """The states of a time, end to end, from the first that is known."""
    ends = [*(one.at for one in transitions[1:]), until]
    for one, end in zip(transitions, ends, strict=True):
        begin, end_ = max(one.at, since), min(end, until)
        if begin < end_:
            yield Stretch(one.state, begin, end_, one.causes)


async def _write(
    connection: AsyncConnection[TupleRow],
    terminal: int,
    made: Sequence[Stretch],
    until: datetime,
) -> None:
    time = {"terminal": terminal, "since": made[0].begin, "until": until}
    standing = await (await connection.execute(_SQL["standing"], time)).fetchall()
    await connection.execute(_SQL["begin_later"], time)
    await connection.execute(_SQL["forget"], time)
    for state, begin, _, causes in standing:
        if begin is not None and begin < made[0].begin:
            before = {"state": state, "begin": begin, "end": made[0].begin, "causes": causes}
            await connection.execute(_SQL["cut"], before | {"terminal": terminal})
    for one in made:
        row = {"state": one.state, "begin": one.begin, "end": one.end, "causes": list(one.causes)}
        await connection.execute(_SQL["cut"], row | {"terminal": terminal})
