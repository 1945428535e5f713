"""One region, served by one collector at a time.

The region's advisory lock is held by the very connection that writes: a collector that lost it
cannot write any more, and the lock falls free with the connection. After any failure the region
begins again: lock, state read back, session resumed, redelivery taken.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TypeVar

import psycopg
import structlog
from mqtt5 import DisconnectReasonCode

from collector import metrics
from collector.claim import Claim, Seen
from collector.desk import Desk
from collector.errors import RegionLost
from collector.incident import AFTER
from collector.inlet import KEEP_ALIVE_S, Inlet
from collector.intake import Arrival
from collector.sight import Cause, Sight, passed
from collector.writer import Acknowledge, Writer, untraced
from fleet.db.migrate import MigrationError, check
from fleet.db.pool import connect
from fleet.mqtt import Backoff, Broker, Clock, Connection, ConnectionLost, MqttError, Route
from fleet.rules.hearing import CATCH_UP, RETURN, Return
from fleet.rules.shelf import Shelf

_TICK_S = 0.5
_STAY_S = 1.0
_STUCK = timedelta(seconds=30)  # far longer than a slow commit
_BACKOFF = Backoff(random.Random(), base_s=0.5, cap_s=2.0)  # noqa: S311 - spreads reconnecting

log = structlog.get_logger()

Result = TypeVar("Result")


class Stage(StrEnum):
    """How far a region has come."""

    CONNECTING = "connecting"  # the broker or the database is away
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Terms:
    """What every region of this process is served with; `name` is what it is called."""

    name: str
    database_url: str
    broker: Broker
    shelf: Shelf
    batch_count: int
    batch_linger_s: float
    receive_maximum: int
    lateness: timedelta
    clock: Clock
    incident_after: timedelta = AFTER
    writer: Callable[[Desk, Acknowledge, str], Writer] = untraced


class Region:
    """The work for one region, from its taking until it is given up or another has it."""

    def __init__(self, name: str, terms: Terms) -> None:
        self.name = name
        self.stage = Stage.CONNECTING
        self.committed_at: datetime | None = None
        self._problem: str | None = None
        self._answered_at: datetime | None = None
        self._terms = terms
        self._route = Route(terms.broker)
        self._sight = Sight()
        self._broker_away = False
        self._returns: tuple[Return, ...] = ()
        self._delays = _BACKOFF.delays()
        self._stopping = asyncio.Event()
        self._registry_changed = asyncio.Event()
        self._log = log.bind(region=name)

    @property
    def problem(self) -> str | None:
        """Why it is not served, until something is committed again; None where all is well."""
        at = self._answered_at
        stuck = at is not None and self._terms.clock() - at > _STUCK
        if at is not None and stuck and self.stage is Stage.SERVING and self._problem is None:
            return f"nothing could be committed since {at.isoformat()}"
        return self._problem

    @property
    def ready(self) -> bool:
        """Whether it is served."""
        return self.stage is Stage.SERVING and self.problem is None

    def stop(self) -> None:
        """Finish the batch in hand, acknowledge it, disconnect, let the region go."""
        self._stopping.set()

    def registry_changed(self) -> None:
        """The api changed terminals or cells: read them again."""
        self._registry_changed.set()

    async def run(self) -> None:
        """Serve until stopped or taken by another, beginning again after every failure."""
        try:
            while not self._stopping.is_set():
                try:
                    if not await self._serve():
                        return
                except (psycopg.Error, MigrationError, RegionLost, OSError) as error:
                    await self._pause(self._failed(error))
        finally:
            metrics.give_up(self.name)

    async def _serve(self) -> bool:
        """Hold the lock over any number of broker connections; False when another has it."""
        terms = self._terms
        connection = await connect(terms.database_url, name=f"collector {terms.name} {self.name}")
        try:
            await check(connection)
            claim = await Claim.take(connection, self.name, terms.name, terms.incident_after)
            if claim is None:
                return False
            self._sight.resume(claim.seen_until)
            desk = Desk(
                connection,
                self.name,
                terms.shelf.current,
                lateness=terms.lateness,
                claim=claim,
            )
            # The database was away in the minute after the broker, or another collector was here.
            for again in self._returns or await claim.returns(connection, terms.clock()):
                desk.returned(again.at, again.patience, alone=again.alone)
            await desk.restore(terms.clock())
            self._log.info("region taken", epoch=claim.epoch, terminals=len(desk.engine.terminals))
            while not self._stopping.is_set():
                try:
                    await self._hear(desk)
                except MqttError as error:
                    self._broker_away = True
                    pause_s = self._failed(error)
                    await desk.stay(self._sight.missing(self._terms.clock()))
                    await self._staying(desk, self._pause(pause_s))
        finally:
            await connection.close()
        return True

    def _failed(self, error: Exception) -> float:
        """Note a failure; returns how many seconds to wait before the next attempt."""
        if self.stage is Stage.SERVING:
            self._delays = _BACKOFF.delays()
        self.stage = Stage.CONNECTING
        self._problem = said(error)
        self._sight.lose(_cause(error))
        metrics.restarts.labels(self.name).inc()
        self._log.warning("region begins again", error=f"{type(error).__name__}: {error}")
        return next(self._delays)

    async def _hear(self, desk: Desk) -> None:
        """One broker connection, from its opening to its end."""
        terms, inlet = self._terms, Inlet(self._terms.clock)
        self.stage = Stage.CONNECTING
        began = terms.clock()
        opening = inlet.open(self._route, self.name, terms.receive_maximum)
        connection = await self._staying(desk, opening)
        try:
            self._connected(desk, connection, began)
            async with terms.writer(desk, partial(self._committed, inlet), self.name) as writer:
                while not connection.closed.done() and not self._stopping.is_set():
                    await self._turn(desk, inlet, writer)
            if connection.closed.done() and (error := connection.closed.result()) is not None:
                self._rewind(connection, error)
                raise error
            await inlet.close()
        except BaseException:
            # It may have ended with the database, which was noticed first.
            self._broker_away |= connection.closed.done() and connection.closed.result() is not None
            inlet.abort()
            raise
        finally:
            metrics.serving.labels(self.name).set(0)
            desk.watch(None)

    async def _staying(self, desk: Desk, opening: Awaitable[Result]) -> Result:
        """Wait for something that needs no database, and show meanwhile that we live."""
        waiting = asyncio.ensure_future(opening)
        try:
            while not (await asyncio.wait({waiting}, timeout=_STAY_S))[0]:
                await desk.stay(self._sight.missing(self._terms.clock()))
        finally:
            waiting.cancel()
        return await waiting

    def _connected(self, desk: Desk, connection: Connection, began: datetime) -> None:
        """From here on messages come; whether all do is known when there are no more for now."""
        # A session that is gone, of a region that was seen before: the broker lost it.
        lost = not connection.session_present and self._sight.until is not None
        away = self._broker_away or lost
        if away:
            self._sight.lose(Cause.BROKER)  # it may have gone with what was noticed first
        if self._sight.until is not None:
            # While we or the database were away nobody watched the broker: it may have ended as
            # well, as it does where a machine starts again.
            unknown = self._sight.blind(began)
            patience = RETURN if away or unknown else CATCH_UP
            desk.returned(began, self._terms.clock() - began + patience, alone=not away)
        self._returns = desk.engine.returns
        self._broker_away = False
        self.stage = Stage.SERVING
        self._answered_at = self._terms.clock()
        metrics.serving.labels(self.name).set(1)
        self._log.info("broker connected", resumed=connection.session_present)

    def _committed(self, inlet: Inlet, arrivals: list[Arrival]) -> None:
        """A batch is stored, all that needed storing in it."""
        self.committed_at = self._answered_at = self._terms.clock()
        self._problem = None
        inlet.acknowledge(arrivals)

    def _rewind(self, connection: Connection, error: MqttError) -> None:
        """A line that was dead before we noticed carried nothing since it was last heard."""
        unanswered = DisconnectReasonCode.KEEP_ALIVE_TIMEOUT
        if isinstance(error, ConnectionLost) and error.reason == unanswered:
            quiet_s = asyncio.get_running_loop().time() - connection.wire.heard_at
            self._sight.rewind(self._terms.clock() - timedelta(seconds=quiet_s))

    async def _turn(self, desk: Desk, inlet: Inlet, writer: Writer) -> None:
        """One batch: take, commit, and only then acknowledge."""
        terms = self._terms
        await self._renew(desk, writer)
        arrivals = await inlet.batch(terms.batch_count, terms.batch_linger_s, _TICK_S)
        metrics.queue_messages.labels(self.name).set(len(inlet))
        # Time passes only as far as we have read: what waits in the queue came before `now`.
        behind = arrivals and len(inlet)
        now = arrivals[-1].at if behind else self._heard_up_to(inlet)
        held = len(inlet) + len(arrivals) + writer.unacknowledged + inlet.awaited
        if held + terms.batch_count >= terms.receive_maximum:  # our window is full
            self._sight.hold_back(terms.clock())
        hearing = inlet.open_still and not self._sight.held_back(now)
        await writer.put(arrivals, now, self._look(desk, now, hearing=hearing))
        if not behind:  # what seems to be missing may be waiting in the queue
            await writer.settle()
            for ask in await desk.asks(terms.clock()):
                inlet.ask(self.name, desk.engine.terminals[ask.terminal_id].code, ask)

    def _heard_up_to(self, inlet: Inlet) -> datetime:
        """Now; or, on a line that has gone quiet, no further than what it said last allows.

        What only time decides is decided `lateness` after its instant: by then something was heard.
        """
        allowed = max(self._terms.lateness, timedelta(seconds=KEEP_ALIVE_S))
        return passed(self._terms.clock(), inlet.quiet, allowed)

    async def _renew(self, desk: Desk, writer: Writer) -> None:
        """Take in terminals that the api changed, and another catalogue."""
        catalogue, now = self._terms.shelf.current, self._terms.clock()
        if self._registry_changed.is_set():
            self._registry_changed.clear()
            await writer.settle()
            await desk.reload_registry(now)
        if desk.catalogue != catalogue.identity:
            await writer.settle()
            await desk.adopt(catalogue, now)

    def _look(self, desk: Desk, now: datetime, *, hearing: bool) -> Seen:
        """How far we see; nobody is silent before we have seen again for long enough."""
        if not hearing:
            if self._sight.blind(now):
                desk.watch(None)
                desk.returned(now, CATCH_UP)
            return Seen(None)
        blindness = self._sight.see(now)
        if blindness is not None:
            self._log.warning(
                "was blind", cause=blindness.cause.value, since=blindness.since.isoformat()
            )
            metrics.blind_seconds.labels(blindness.cause.value).inc(
                (blindness.until - blindness.since).total_seconds()
            )
        if blindness is not None or not desk.watching:
            desk.watch(now)
        return Seen(now, blindness)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def said(error: Exception) -> str:
    """An error in a line, without the rows that a database's quotes."""
    primary = error.diag.message_primary if isinstance(error, psycopg.Error) else None
    first, *_ = (primary or str(error)).strip().splitlines() or [""]
    return f"{type(error).__name__}: {first}"


def _cause(error: Exception) -> Cause:
    if isinstance(error, psycopg.Error | MigrationError):
        return Cause.DATABASE
    return Cause.COLLECTOR if isinstance(error, RegionLost) else Cause.BROKER
