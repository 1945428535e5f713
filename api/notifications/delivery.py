"""Empties the outbox: each delivery is claimed, sent, and marked, each in a transaction of its own.

One process at a time does this: who holds the job's lock. So what is found being sent when the work
begins was left by a process that died.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.metrics import Metrics
from api.notifications import senders
from api.notifications.channels import Channel
from api.notifications.outbox import Channels
from api.notifications.senders import Attachment, Delivery, SendFailed
from api.reports.store import kept
from api.scope import ENGINE, enter
from fleet.db.pool import Pool
from fleet.db.sql import load
from fleet.late import Late
from fleet.notifications.routing import URGENT, WAKING, Kind
from fleet.notifications.timing import again
from fleet.notifications.words import digest, message

_SQL = load("api.notifications", "store")
_pdf = Late("api.reports.pdf")  # once a month, if at all
_AT_ONCE = 8
_log = structlog.get_logger("api.notifications")


@dataclass(frozen=True, slots=True)
class Notifier:
    """Sends what is due; `deliver` is the work of a job, whose lock keeps others from it."""

    channels: Channels
    pool: Pool
    metrics: Metrics

    async def deliver(self, _: AsyncConnection[TupleRow]) -> None:
        """Send all that is due, some at a time."""
        await self._look_after_the_dead()
        while True:
            claimed = [one for _ in range(_AT_ONCE) if (one := await self._claim())]
            if not claimed:
                return
            await asyncio.gather(*(self._send(rows) for rows in claimed))

    async def _look_after_the_dead(self) -> None:
        doubles = [name for name, channel in self.channels.items() if channel.tells_doubles]
        for row in await self._run("left_behind", telling_doubles=doubles):
            _log.warning("was being sent when a process died", **row)

    async def _claim(self) -> list[dict[str, Any]]:
        gathering = [name for name, channel in self.channels.items() if channel.digest]
        now = datetime.now(UTC)
        quiet = [
            name
            for name, channel in self.channels.items()
            if channel.hours is not None and channel.hours.lasts(now)
        ]
        rows = await self._run(
            "claim",
            gathering=gathering,
            quiet=quiet,
            urgent=sorted(URGENT),
            waking=sorted(WAKING),
            delivery=uuid4(),
        )
        return sorted(rows, key=lambda row: int(row["id"]))

    async def _send(self, rows: Sequence[dict[str, Any]]) -> None:
        first = rows[0]
        channel = self.channels.get(first["channel"])
        try:
            if channel is None:
                raise SendFailed("there is no such channel any more")
            delivery = _delivery(rows, channel)
            attachments = await self._attachments(rows, channel)
            if not await self._run("hand_over", delivery=delivery.id, attempts=first["attempts"]):
                _log.warning("left to another process", channel=first["channel"])
                return
            await senders.send(channel, delivery, attachments)
        except SendFailed as failure:
            await self._failed(first, str(failure))
        except Exception as error:  # noqa: BLE001 - a bug with one must not hold up the others
            _log.error("sending failed", channel=first["channel"], error=type(error).__name__)
            await self._failed(first, type(error).__name__)
        else:
            await self._run("sent", delivery=first["delivery"])
            self.metrics.notifications.labels(first["channel"], "sent").inc(len(rows))

    async def _failed(self, row: dict[str, Any], error: str) -> None:
        wait = again(row["attempts"])
        [(now,)] = [tuple(one.values()) for one in await self._run("now")]
        again_at: datetime | None = None if wait is None else now + wait
        await self._run("failed", delivery=row["delivery"], again_at=again_at, error=error)
        outcome = "given_up" if again_at is None else "failed"
        self.metrics.notifications.labels(row["channel"], outcome).inc()
        _log.warning("not delivered", channel=row["channel"], error=error, outcome=outcome)

    async def _attachments(
        self, rows: Sequence[dict[str, Any]], channel: Channel
    ) -> list[Attachment]:
        """The reports that are told of, but to a webhook, which has the figures."""
        found = []
        for row in rows if not channel.tells_doubles else ():
            if row["kind"] == Kind.REPORT:
                facts = row["facts"]
                async with self.pool.connection() as connection:
                    await enter(connection, ENGINE)
                    report = await kept(
                        connection, facts["month"], ZoneInfo(facts["zone"]), facts["version"]
                    )
                if report is not None:
                    content = await asyncio.to_thread(_pdf.written, report, None, channel.language)
                    name = f"uptime-{facts['month']}.pdf"
                    found.append(Attachment(name, _pdf.MEDIA_TYPE, content))
        return found

    async def _run(self, statement: str, **parameters: object) -> list[dict[str, Any]]:
        async with self.pool.connection() as connection:
            await enter(connection, ENGINE)
            async with connection.cursor(row_factory=dict_row) as cursor:
                await cursor.execute(_SQL[statement], parameters)
                return await cursor.fetchall() if cursor.description else []


def _delivery(rows: Sequence[dict[str, Any]], channel: Channel) -> Delivery:
    messages = [message(Kind(row["kind"]), row["facts"], channel.language) for row in rows]
    items = [
        {"kind": row["kind"], "at": row["created_at"].isoformat(), "facts": row["facts"]}
        for row in rows
    ]
    first = rows[0]
    said = digest(messages, channel.language)
    return Delivery(first["delivery"], first["recipient"], said, first["created_at"], items)
