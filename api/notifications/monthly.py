"""The monthly report: made when a month is over, and told to operations."""

from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.notifications.outbox import Channels, is_queued, queue
from api.reports.store import ReportRefused, is_kept, kept, make
from api.scope import ENGINE
from fleet.db.sql import load
from fleet.notifications.routing import Kind, Told
from fleet.reports.monthly import last_month
from fleet.reports.words import words
from fleet.tickets.lifecycle import Role

_SQL = load("api.notifications", "store")


async def report_month(
    connection: AsyncConnection[TupleRow], zone: ZoneInfo, channels: Channels
) -> None:
    """Make the report of the last month of a zone, where there is none, and tell of it once."""
    [(now,)] = await (await connection.execute(_SQL["now"])).fetchall()
    month = last_month(now, zone)
    cause = f"report/{month}/{zone}"
    hears = Told(Kind.REPORT, Role.OPERATIONS)
    heard = any(channel.takes(hears) for channel in channels.values())
    if await (is_queued(connection, cause) if heard else is_kept(connection, month, zone)):
        return
    report = await kept(connection, month, zone)
    if report is None:
        try:
            report = await make(connection, month, zone, ENGINE.actor, "monthly")
        except ReportRefused:
            return  # there was nothing yet to report on
    known = report.month.fleet.availability
    facts = {
        "month": month,
        "zone": str(zone),
        "version": report.version,
        "cells": len(report.month.cells),
        "operational": words().share(known.operational),
        "coverage": words().share(known.coverage),
    }
    await queue(connection, channels, cause, hears, facts)
