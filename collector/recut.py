"""Cuts the intervals of terminals anew, from all that is stored by now, what came late too.

What came late was stored and not judged: the terminal had said other things since. Here everything
is judged once more, in the order in which it was said, each message as if it had come in time. That
the connection was down stays so: births and last wills are taken as they arrived.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db import history
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.changes import Change, Transition
from fleet.rules.replay import Blind, Heard, Replay, lead
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Presence

_SQL = load("collector", "recut")


_AHEAD = timedelta(hours=1)  # a clock that is ahead by more is quarantined
_SLICE = 50


@dataclass(frozen=True, slots=True)
class Stretch:
    """A time in one state, and the rules that made it so; without an end it goes on."""

    state: ServiceState
    begin: datetime
    end: datetime | None
    causes: tuple[str, ...]


class _Standing(NamedTuple):
    """What is recorded, as a row has it."""

    state: str
    begin: datetime
    end: datetime | None
    causes: list[str]

    def stretch(self, begin: datetime | None = None, end: datetime | None = None) -> Stretch:
        """The same, from or up to another instant."""
        causes = tuple(self.causes)
        return Stretch(ServiceState(self.state), begin or self.begin, end or self.end, causes)


class _States(Replay):
    """A replay that remembers the service states of one terminal."""

    def __init__(
        self, catalogue: Catalogue, terminal: Terminal, since: datetime, blind: Sequence[Blind]
    ) -> None:
        self.transitions: list[Transition] = []
        super().__init__(catalogue.selection(), [terminal], since, terminal.region, blind)

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

    No further than the terminal has come: what is behind that is for the collector at work. Returns
    what was cut; nothing where no such terminal is, or where what was said at the beginning is kept
    no more. Faults and tickets stay as they were: people acted on them.
    """
    async with connection.transaction():
        await connection.execute(_SQL["alone"], {"terminal": terminal})
        start = since - lead(catalogue.variants())
        cursor = await connection.execute(_SQL["reached"], {"terminal": terminal})
        now, come_to = await cursor.fetchone() or (None, None)
        found = await history.terminals(connection, start, codes=[terminal])
        if not found or come_to is None or min(until, come_to) <= since:
            return []
        until = min(until, come_to)
        [one] = found
        said = [each async for each in history.heard(connection, found, start, now, until + _AHEAD)]
        standing = await _standing(connection, one.id, since, until)
        if standing and one.boot < 0 and not _told_before(said, since):
            return []
        blind = await history.blind(connection, one.region, start, until)
        replay = _States(catalogue, one, start, blind)
        await _play(replay, in_time(said, until), until)
        made = list(stretches(replay.transitions, since, until))
        if made:
            await _write(connection, one.id, made, until)
    return made


async def reached(connection: AsyncConnection[TupleRow], terminal: str) -> datetime | None:
    """How far a terminal has come; None where nothing was ever heard of it.

    Raises `LookupError` where there is none of that name.
    """
    row = await (await connection.execute(_SQL["reached"], {"terminal": terminal})).fetchone()
    if row is None:
        raise LookupError(f"there is no terminal {terminal}")
    at: datetime | None = row[1]
    return at


async def _play(replay: _States, heard: Sequence[Heard], until: datetime) -> None:
    """Judge it all; now and then a collector at work has its turn."""
    for number, one in enumerate(heard):
        replay.hear(one)
        if number % _SLICE == 0:
            await asyncio.sleep(0)
    replay.pass_time(until)


def _told_before(heard: Sequence[Heard], since: datetime) -> bool:
    """Whether a terminal that nothing is known of from before said anything before a time."""
    return any(one.message.ts < since for one in heard if not isinstance(one.message, Presence))


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
    ends = [*(one.at for one in transitions), until][1:]
    for one, end in zip(transitions, ends, strict=True):
        begin, end_ = max(one.at, since), min(end, until)
        if begin < end_:
            yield Stretch(one.state, begin, end_, one.causes)


def joined(
    before: Sequence[Stretch], made: Sequence[Stretch], behind: Stretch | None
) -> list[Stretch]:
    """What is recorded then, end to end: one stretch where state and causes go on.

    `before` and `behind` are what is recorded up to what was made, and after it.
    """
    whole: list[Stretch] = []
    for one in (*before, *made, *([] if behind is None else [behind])):
        last = whole[-1] if whole else None
        if last is not None and (last.state, last.causes) == (one.state, one.causes):
            whole[-1] = replace(last, end=one.end)
        else:
            whole.append(one)
    return whole


async def _standing(
    connection: AsyncConnection[TupleRow], terminal: int, since: datetime, until: datetime
) -> list[_Standing]:
    time = {"terminal": terminal, "since": since, "until": until}
    cursor = await connection.execute(_SQL["standing"], time)
    return [_Standing(*row) for row in await cursor.fetchall()]


async def _write(
    connection: AsyncConnection[TupleRow], terminal: int, made: Sequence[Stretch], until: datetime
) -> None:
    begin = made[0].begin
    standing = await _standing(connection, terminal, begin, until)
    before = [one.stretch(end=begin) for one in standing if one.begin < begin]
    behind = next((one for one in standing if one.end is None or one.end > until), None)
    whole = joined(before, made, behind and behind.stretch(begin=until))
    time = {"terminal": terminal, "since": begin, "until": until}
    await connection.execute(_SQL["forget"], time)
    if behind is not None:
        goes_on = {"terminal": terminal, "was": behind.begin, "since": whole.pop().begin}
        await connection.execute(_SQL["goes_on_since"], goes_on)
    for one in whole:
        row = {"state": one.state, "begin": one.begin, "end": one.end, "causes": list(one.causes)}
        await connection.execute(_SQL["cut"], row | {"terminal": terminal})
