"""A collector's claim on a region: taken under the advisory lock, proved in every transaction.

The lock says who may serve; the epoch that grows with each taking says who may write. A collector
that slept through the loss of its region finds another epoch, and its transaction is undone.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Self

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from collector import incident
from collector.errors import RegionLost
from collector.sight import Blindness
from fleet.db.sql import load
from fleet.rules.hearing import RETURN, Return

_SQL = load("collector", "claim")


@dataclass(frozen=True, slots=True)
class Seen:
    """What a transaction says of our sight: up to when, and the blindness that ended."""

    until: datetime | None
    blindness: Blindness | None = None


@dataclass(frozen=True, slots=True)
class Claim:
    """The region that a connection holds the lock of, and since which epoch."""

    region: str
    epoch: int
    seen_until: datetime | None
    incident_after: timedelta = incident.AFTER

    @classmethod
    async def take(
        cls,
        connection: AsyncConnection[TupleRow],
        region: str,
        collector: str,
        incident_after: timedelta = incident.AFTER,
    ) -> Self | None:
        """Take a region if it is free; the connection holds it until it ends."""
        await connection.execute(_SQL["tend"])
        await connection.commit()
        async with connection.transaction():
            row = await (await connection.execute(_SQL["lock"], {"region": region})).fetchone()
            if row is None or not row[0]:
                return None
            taking = {"region": region, "collector": collector}
            row = await (await connection.execute(_SQL["take"], taking)).fetchone()
        if row is None:
            return None
        epoch, seen_until = row
        return cls(region, epoch, seen_until, incident_after)

    async def returns(
        self, connection: AsyncConnection[TupleRow], now: datetime
    ) -> tuple[Return, ...]:
        """Whom terminals have time still to come back to: another collector saw again of late."""
        async with connection.transaction():
            asked = {"region": self.region, "since": now - RETURN}
            found = await (await connection.execute(_SQL["returned"], asked)).fetchall()
        return tuple(Return(since, until - since + RETURN, alone) for since, until, alone in found)

    async def prove(self, cursor: AsyncCursor[TupleRow], seen: Seen) -> None:
        """Fence a transaction; raises `RegionLost` when another has taken the region."""
        await cursor.execute(
            _SQL["prove"], {"region": self.region, "epoch": self.epoch, "until": seen.until}
        )
        if not cursor.rowcount:
            raise RegionLost(f"region {self.region} was taken by another collector")
        if (blindness := seen.blindness) is not None:
            await cursor.execute(
                _SQL["record_blindness"],
                {
                    "region": self.region,
                    "since": blindness.since,
                    "until": blindness.until,
                    "cause": blindness.cause.value,
                    "broker_too": blindness.broker_too,
                },
            )
            await incident.begin(cursor, blindness, self.incident_after)
            await incident.end(cursor, self.region, blindness.until)
