"""Where a region's packets become committed batches: the engine, the ledgers, one transaction.

The engine and the ledgers in memory are ahead of the last commit by what is being written. When a
write fails they are thrown away and read back before anything else is done.
"""

import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import psycopg
import structlog

from collector import (
    adoption,
    clocks,
    gaps,
    incident,
    metrics,
    quarantine,
    registry,
    restore,
    store,
    tally,
)
from collector.batch import Batch, judge
from collector.claim import Claim, Seen
from collector.intake import Arrival, Intake, Opening, set_aside
from collector.ledgers import Ledgers
from collector.manners import MANNERS, Ask, Manners
from collector.repair import Repair, Stored
from collector.sight import Blindness
from collector.skew import Skews
from collector.statement import Statement
from collector.statements import decide
from collector.store import Connection
from fleet.ledger import size
from fleet.quarantine import Quarantined, Reason
from fleet.rules.catalogue import Catalogue
from fleet.rules.engine import Engine

# What the content of one message may bring about; all else is the database's or the broker's.
ONE_IS_BAD = (
    psycopg.DataError,
    psycopg.errors.ProgramLimitExceeded,  # an operational error by name, and yet of the content
    psycopg.errors.StatementTooComplex,
    ArithmeticError,
    LookupError,
    RecursionError,
    TypeError,
    ValueError,
)
_NOTE_EVERY = timedelta(seconds=2)  # half of what counts as blindness
_NOTHING_SEEN = Seen(None)

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Judged:
    """A batch, what it makes the database do, and up to when time had passed."""

    batch: Batch
    statements: Sequence[Statement]
    now: datetime


class Desk:
    """One region's engine beside the connection that holds the region's lock.

    With `passing` a batch may reach over minutes: time passes from one message to the next.
    """

    def __init__(
        self,
        connection: Connection,
        region: str,
        catalogue: Catalogue,
        manners: Manners = MANNERS,
        lateness: timedelta = timedelta(),
        claim: Claim | None = None,
        *,
        passing: bool = False,
    ) -> None:
        self._passing = passing
        self._connection = connection
        self._claim = claim
        self._noted: datetime | None = None
        self._skews = Skews({}, datetime.min.replace(tzinfo=UTC))
        self._region = region
        self._catalogue = catalogue
        self._ledgers = Ledgers()
        self._boots: dict[int, int] = {}
        self._restarted: set[int] = set()
        self._registry = registry.Registry(region, {}, {})
        self._intake = Intake(self._registry)
        self._watching_since: datetime | None = None
        self._manners = manners
        self._repair = Repair(Stored({}, {}, {}), datetime.min.replace(tzinfo=UTC), manners)
        self._lateness = lateness
        self.engine = self._new_engine()

    async def restore(self, now: datetime) -> None:
        """Read everything back as of the last commit."""
        self._ledgers.clear()
        await store.prepare(self._connection)
        await store.read_through(self._connection)
        self._registry = await registry.read(self._connection, self._region)
        self._intake = Intake(self._registry)
        changed = await adoption.changed(self._connection, self._region, self._catalogue)
        # What is told as it is read back waits for whom we hear again, as it did before.
        before, self.engine = self.engine, self._new_engine()
        self.engine.watch(self._watching_since)
        for again in before.returns:
            self.engine.returned(again.at, again.patience, alone=again.alone)
        await restore.read_back(
            self._connection, self._registry, self.engine, now, changed or frozenset()
        )
        if changed is not None:
            await self._go_over(now)
        self._boots = {
            each.id: each.boot
            for each in self.engine.terminals.values()
            if each.heard_at is not None or each.connected is not None
        }
        self._skews = Skews(await clocks.stored(self._connection, self._region), now)
        missing = await gaps.stored(self._connection, self._region, self.engine.terminals)
        self._repair = Repair(missing, now, self._manners)
        self._restarted.clear()
        await self._connection.commit()

    def _new_engine(self) -> Engine:
        return Engine(self._catalogue.selection(), self._region, self._lateness)

    async def _go_over(self, now: datetime) -> None:
        """Write what the catalogue says anew, with the note that it was asked."""
        record = self.engine.take()
        identity, terminals = self._catalogue.identity, self.engine.terminals
        async with self._connection.transaction():
            statements = decide(Batch(record=record), terminals, identity)
            await store.write(self._connection, statements, self._fence(_NOTHING_SEEN))
            await adoption.note(self._connection, self._region, self._catalogue, now)
        log.info("catalogue taken", region=self._region, catalogue=identity)

    async def adopt(self, catalogue: Catalogue, now: datetime) -> None:
        """Go over to another catalogue, between two batches; to the one in force it does nothing.

        Everything is read back as after a restart: what is exact there is exact here.
        """
        if catalogue.identity != self._catalogue.identity:
            self._catalogue = catalogue
            await self.restore(now)

    def watch(self, since: datetime | None) -> None:
        """From when on we hear everything; None while the broker is away."""
        self._watching_since = since
        self.engine.watch(since)

    @property
    def catalogue(self) -> str:
        """The identity of the catalogue in force."""
        return self._catalogue.identity

    @property
    def watching(self) -> bool:
        """Whether silence is judged now."""
        return self._watching_since is not None

    def returned(self, at: datetime, patience: timedelta, *, alone: bool = False) -> None:
        """We hear again; what waited is given time to come before holds end by time alone."""
        self.engine.returned(at, patience, alone=alone)

    async def reload_registry(self, now: datetime) -> None:
        """Take in what the api changed: terminals that came, moved or left."""
        await store.read_through(self._connection)
        fresh = await registry.read(self._connection, self._region, self._registry)
        if await registry.are_known(self._connection, self.engine, fresh):
            await self.restore(now)  # what another region left of them is read back with the rest
            return
        await self._connection.commit()
        for gone in registry.take_in(self.engine, self._registry, fresh, now):
            self._repair.forget(gone)
            self._restarted.discard(gone)
            self._skews.forget(gone)
        self._registry = fresh
        self._intake.renew(fresh)

    async def commit(
        self, arrivals: Sequence[Arrival], now: datetime, seen: Seen = _NOTHING_SEEN
    ) -> None:
        """Judge the packets, let time pass up to `now`, write it all in one transaction.

        A packet that the database cannot take, or that trips a fault of our own, is quarantined,
        alone: no message stops the stream. Raises `psycopg.Error` when nothing was written, and
        `RegionLost` when the region is no longer ours.
        """
        try:
            await self._commit(arrivals, now, seen)
        except ONE_IS_BAD:
            await self.commit_singly(arrivals, now)
            await self.note(seen)

    def open(self, arrivals: Sequence[Arrival]) -> Opening:
        """What packets say; to be judged before anything is read back."""
        if self._ledgers.forget(self.engine.terminals):
            self._intake.forget_ledgers()
        opening = self._intake.open(arrivals)
        tally.received(opening.messages)
        return opening

    async def stay(self, blindness: Blindness | None = None) -> None:
        """Say that we live, while there is nothing to commit; a long blindness is an incident."""
        async with self._connection.transaction(), self._connection.cursor() as cursor:
            await cursor.execute("SELECT")
            if blindness is not None and self._claim is not None:
                await incident.begin(cursor, blindness, self._claim.incident_after)

    async def asks(self, now: datetime) -> list[Ask]:
        """What is missing, or may be, and due to be asked for; written down are what was asked for
        in vain, and the clocks that were found to be off.

        Raises `psycopg.Error` when that could not be.
        """
        repair, terminals = self._repair, self.engine.terminals
        if self._restarted:
            async with self._connection.transaction():
                found = await gaps.tails(self._connection, self._restarted)
            repair.tails.note(found, now)
            self._restarted.clear()
        asks = repair.due(now, lambda of: of not in terminals or terminals[of].connected is False)
        if repair.hopeless:
            await store.give_up(self._connection, repair.hopeless)
            metrics.lost.inc(sum(size(each) for each in repair.hopeless.values()))
            repair.hopeless.clear()
        if repair.tails.over:
            await gaps.note_asked(self._connection, repair.tails.over)
            repair.tails.over.clear()
        metrics.lost.inc(repair.too_many)
        repair.too_many = 0
        await clocks.note(self._connection, self._region, self._skews, now)
        metrics.gaps.labels(self._region).set(len(repair))
        metrics.missing.labels(self._region).set(repair.messages)
        metrics.repaired.labels("late").inc(repair.late)
        metrics.repaired.labels("resent").inc(repair.resent + repair.tails.came)
        repair.late = repair.resent = repair.tails.came = 0
        return asks

    async def note(self, seen: Seen) -> None:
        """Write down how far we saw, where no batch does."""
        if self._claim is not None:
            async with self._connection.transaction(), self._connection.cursor() as cursor:
                await self._claim.prove(cursor, seen)
        self._noted = seen.until

    def _to_be_noted(self, seen: Seen) -> bool:
        if seen.until is None:
            return False
        late = self._noted is None or abs(seen.until - self._noted) >= _NOTE_EVERY
        return late or seen.blindness is not None

    def _fence(self, seen: Seen) -> store.Fence | None:
        return None if self._claim is None else partial(self._claim.prove, seen=seen)

    def needs_reading(self, opening: Opening) -> bool:
        """Whether ledgers are not in memory, or what they leave out of what is stored."""
        ledgers, unsure = self._ledgers, opening.unsure
        return bool(ledgers.unread(unsure) or ledgers.blurred(unsure))

    async def read(self, opening: Opening) -> None:
        """Read ledgers; nothing may be under way."""
        ledgers, unsure = self._ledgers, opening.unsure
        ledgers |= await store.read_ledger(self._connection, ledgers.unread(unsure))
        for key in ledgers.blurred(unsure):
            below = await store.read_numbers(self._connection, key, ledgers[key].blurred_to)
            ledgers[key].sharpen(below)
        await self._connection.commit()

    async def judge(self, opening: Opening, now: datetime) -> Judged:
        """Judge a batch and decide what it makes the database do; the ledgers are in memory."""
        began = time.perf_counter()
        batch = await judge(opening, self.engine, self._ledgers, now, passing=self._passing)
        statements: list[Statement] = []
        if batch:
            batch.rebooted = self._rebooted(batch)
            statements = decide(batch, self.engine.terminals, self._catalogue.identity)
        if count := len(opening.messages) + len(opening.aside):
            metrics.engine_seconds.observe(time.perf_counter() - began)
            metrics.batch_messages.observe(count)
        return Judged(batch, statements, now)

    async def write(self, judged: Judged, seen: Seen) -> None:
        """Write a judged batch in one transaction; the commit is this function's return."""
        began, batch = time.perf_counter(), judged.batch
        if judged.statements:
            await store.write(self._connection, judged.statements, self._fence(seen))
            self._noted = seen.until or self._noted
            metrics.commit_seconds.observe(time.perf_counter() - began)
        elif self._to_be_noted(seen):
            await self.note(seen)
        tally.committed(batch)
        if batch.aside and (dropped := await quarantine.trim(self._connection)):
            metrics.quarantine_dropped.inc(dropped)
        self._repair.note(batch.received, judged.now, batch.given_up)
        self._skews.note(batch.quickest_us, judged.now)
        # A boot that is over may have come further.
        self._restarted.update(each.terminal_id for each in batch.late)

    async def _commit(self, arrivals: Sequence[Arrival], now: datetime, seen: Seen) -> None:
        opening = self.open(arrivals)
        if self.needs_reading(opening):
            await self.read(opening)
        await self.write(await self.judge(opening, now), seen)

    async def commit_singly(self, arrivals: Sequence[Arrival], now: datetime) -> None:
        """One packet among them cannot be stored: find it, by one transaction each."""
        await self.restore(now)
        for arrival in arrivals:
            try:
                await self._commit([arrival], arrival.at, _NOTHING_SEEN)
            except ONE_IS_BAD as error:
                await self.restore(now)
                why = Quarantined(Reason.MALFORMED, f"cannot be judged or stored: {_said(error)}")
                kept = set_aside(arrival, why)
                # Not the traceback: an error may quote what it met, and here it is masked.
                place = traceback.extract_tb(error.__traceback__)[-1]
                where = f"{place.filename}:{place.lineno}"
                log.error("a message cannot be taken", topic=kept.topic, why=kept.detail, at=where)
                lone = Batch(aside=[kept])
                await self.write(Judged(lone, decide(lone, {}, ""), now), _NOTHING_SEEN)

    def _rebooted(self, batch: Batch) -> bool:
        """Whether a terminal's boot is another than was written last; notes what will be."""
        terminals, boots = self.engine.terminals, self._boots
        touched = [terminals[i] for i in batch.record.terminals if i in terminals]
        moved = [each for each in touched if each.boot != boots.get(each.id)]
        boots.update({each.id: each.boot for each in moved})
        self._restarted.update(each.id for each in moved)
        return bool(moved)


def _said(error: Exception) -> str:
    if isinstance(error, psycopg.Error):
        return error.diag.message_primary or type(error).__name__
    return type(error).__name__
