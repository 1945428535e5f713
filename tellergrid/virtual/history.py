"""History for a database that has none: a course in virtual time, written by the collector's desk
and the api's ticket engine, transaction by transaction, into the tables they always write.

Rules: only before the first message; every region's lock is held, so that no collector is at work;
tickets are followed whenever a fault changed, and once an hour, in the time of the history. Regions
are shared out among a few connections: while the database writes for one, the next is judged.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import cycle
from pathlib import Path

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets import engine as tickets
from collector.claim import Claim
from collector.desk import Desk
from collector.intake import Arrival
from fleet import telemetry, topics
from fleet.db.pool import connect
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.hearing import RETURN
from simulator.state import Account, StateFile
from simulator.truth import write
from simulator.virtual import Course, VirtualFleet
from simulator.wire import Arrived
from tellergrid.stack.errors import StackError

_SQL = load("tellergrid.virtual", "history")
_FOLLOW_EVERY_S = 3600.0
_LINES = 4

Connection = AsyncConnection[TupleRow]
Progress = Callable[[float], None]


class Filled(msgspec.Struct, frozen=True):
    """What a history came to."""

    days: float
    terminals: int
    messages: int
    faults: int
    tickets: int


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the simulator goes on from the history, and where the truth about it goes."""

    state: Path
    truth: Path
    verify: timedelta


async def fill(
    url: str, course: Course, rules: Catalogue, keeping: Keeping, progress: Progress
) -> Filled:
    """Fill a migrated and seeded database; raises StackError if it has a history or a collector."""
    async with AsyncExitStack() as stack:
        lines = [
            await stack.enter_async_context(await connect(url, name="backfill"))
            for _ in range(_LINES)
        ]
        ticket_side = await connect(url, name="backfill-tickets")
        await stack.enter_async_context(ticket_side)
        claims = await _prepare(lines, course)
        history = _History(course, ticket_side, keeping)
        try:
            await history.begin(rules, claims)
            await history.play(progress)
            filled = await history.end()
        finally:
            await ticket_side.rollback()
            await ticket_side.execute(_SQL["drop_clock"])
            await ticket_side.commit()
    return filled


async def require_no_history(url: str) -> None:
    """Raise StackError if a database has a history; it need not be migrated."""
    async with await connect(url, name="backfill") as connection:
        row = await (await connection.execute(_SQL["is_migrated"])).fetchone()
        if row is not None and row[0]:
            await _require_empty(connection)


async def _require_empty(connection: Connection) -> None:
    row = await (await connection.execute(_SQL["is_empty"])).fetchone()
    if row is None or not row[0]:
        raise StackError(
            "The database has a history already. A history is filled in before the first message: "
            "`tellergrid clean` makes an empty one."
        )


async def _prepare(lines: Sequence[Connection], course: Course) -> list[tuple[Connection, Claim]]:
    """See that nobody is here, and let the fleet be as old as its history."""
    connection = lines[0]
    await _require_empty(connection)
    claims: list[tuple[Connection, Claim]] = []
    for line, region in zip(cycle(lines), course.grid().regions, strict=False):
        claim = await Claim.take(line, region, "backfill")
        if claim is None:
            raise StackError(f"A collector serves {region}: stop it first.")
        claims.append((line, claim))
    start = datetime.fromtimestamp(course.start, UTC)
    for name in ("age_terminals", "age_memberships"):
        await connection.execute(_SQL[name], {"start": start})
    for line in lines:
        await line.execute("SET synchronous_commit = off")
        await line.commit()
    return claims


class _History:
    """One filling in."""

    def __init__(self, course: Course, ticket_side: Connection, keeping: Keeping) -> None:
        self._course = course
        self._ticket_side = ticket_side
        self._keeping = keeping
        self._state = StateFile(keeping.state)
        self._started = 0
        self._fleet = VirtualFleet(course)
        self._desks: dict[str, Desk] = {}
        self._by_line: dict[Connection, list[str]] = {}
        self._numbers = {each.code: number for number, each in self._fleet.terminals.items()}
        self._change = 0
        self._followed = course.start
        self._messages = 0

    async def begin(self, rules: Catalogue, claims: Iterable[tuple[Connection, Claim]]) -> None:
        """Open a desk for each region, and give the tickets their clock."""
        start = datetime.fromtimestamp(self._course.start, UTC)
        for line, claim in claims:
            desk = Desk(line, claim.region, rules, claim=claim, passing=True)
            self._desks[claim.region] = desk
            self._by_line.setdefault(line, []).append(claim.region)
            await desk.restore(start)
            desk.watch(start)
        for name in ("make_clock", "make_now", "use_clock"):
            await self._ticket_side.execute(_SQL[name])
        await self._ticket_side.execute("SET synchronous_commit = off")
        await self._ticket_side.commit()

    async def play(self, progress: Progress) -> None:
        """Play the course, step by step."""
        self._state.begin(each.code for each in self._fleet.terminals.values())
        was_away = False
        for until, arrived, away in self._fleet.steps():
            now = datetime.fromtimestamp(until, UTC)
            if away is not was_away:
                was_away = away
                for desk in self._desks.values():
                    desk.watch(None if away else now)
                    if not away:
                        desk.returned(now, RETURN)
            self._remember_starts()
            await self._commit(arrived, now, until)
            await self._follow(self._keeping.verify, until)
            progress((until - self._course.start) / self._course.lasts_s)

    async def end(self) -> Filled:
        """Let the simulator go on from here, and count."""
        self._state.save(self._progress())
        write(self._keeping.truth, self._fleet.told())
        counts = await self._ticket_side.execute(
            "SELECT (SELECT count(*) FROM fault), (SELECT count(*) FROM ticket)"
        )
        row = await counts.fetchone()
        faults, raised = (0, 0) if row is None else row
        days = self._course.lasts_s / 86_400
        return Filled(days, len(self._fleet.terminals), self._messages, faults, raised)

    def _remember_starts(self) -> None:
        """Remember each boot before anything of it is stored.

        Else, were we killed, the simulator would begin with boots that are stored already, and all
        it says would be taken for what is known.
        """
        devices = [wire.device for wire in self._fleet.wires.values()]
        started = sum(device.boot for device in devices)
        if started != self._started:
            self._started = started
            self._state.save((each.code, each.boot, 0, {}, each.stock) for each in devices)

    def _progress(self) -> list[Account]:
        found: list[Account] = []
        for wire in self._fleet.wires.values():
            device = wire.device
            upto = device.seq - wire.waiting
            known = {device.boot: max(0, upto)}
            found.append((device.code, device.boot, device.seq, known, device.stock))
        return found

    async def _commit(self, arrived: list[Arrived], now: datetime, until: float) -> None:
        """Each region's messages as one batch, time passing from one to the next."""
        by_region: dict[str, list[Arrival]] = {region: [] for region in self._desks}
        for each in arrived:
            terminal = self._fleet.terminals[each.terminal]
            region = each.region or terminal.region
            by_region[region].append(_packet(region, terminal.code, each))
        self._messages += len(arrived)

        async def serve(regions: list[str]) -> None:
            for region in regions:
                await self._desks[region].commit(by_region[region], now)

        async with asyncio.TaskGroup() as tasks:
            for regions in self._by_line.values():
                tasks.create_task(serve(regions))
        for desk in self._desks.values():  # in one order, whoever was done first
            for ask in await desk.asks(now):
                number = self._numbers[desk.engine.terminals[ask.terminal_id].code]
                command = ask.command
                self._fleet.resend(number, command.boot, command.first, command.last, until)

    async def _follow(self, verify: timedelta, until: float) -> None:
        """Let the tickets follow, where a fault has changed or an hour has passed."""
        side = self._ticket_side
        row = await (await side.execute(_SQL["newest_change"])).fetchone()
        newest = 0 if row is None else row[0]
        if newest == self._change and until - self._followed < _FOLLOW_EVERY_S:
            await side.rollback()
            return
        self._change, self._followed = newest, until
        now = datetime.fromtimestamp(until, UTC)
        await side.execute(_SQL["set_clock"], {"now": now.isoformat()})
        await tickets.raise_tickets(side)
        await tickets.follow_causes(side, verify)
        await side.execute(_SQL["date_tickets"])
        await side.execute(_SQL["date_transitions"])
        await side.commit()


def _packet(region: str, code: str, arrived: Arrived) -> Arrival:
    message = arrived.message
    payload = message if isinstance(message, bytes) else telemetry.encode(message)
    topic = topics.build(region, code, arrived.channel)
    return Arrival(topic, payload, datetime.fromtimestamp(arrived.at, UTC))
