"""Plays what is stored to another catalogue and compares; the database is only read."""

from collections.abc import Callable
from datetime import datetime, timedelta

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import TupleRow

from fleet.db import history
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.changes import HoldKey
from fleet.rules.replay import Course, Replay, lead
from fleet.rules.severity import Severity
from tellergrid.backtest.comparison import Comparison, Past

Connection = AsyncConnection[TupleRow]
Progress = Callable[[str, datetime], None]
"""Told now and then: which region, and how far."""

_SQL = load("tellergrid.backtest", "happened")
_SAY_EVERY = 5000


async def backtest(
    connection: Connection,
    catalogue: Catalogue,
    since: datetime,
    until: datetime,
    progress: Progress = lambda _region, _at: None,
    lateness: timedelta = timedelta(),
) -> tuple[Comparison, int]:
    """What a catalogue would have changed, and how many messages it was tried on.

    In one transaction that cannot write and sees one state of the database.
    """
    await connection.set_read_only(True)
    await connection.set_isolation_level(IsolationLevel.REPEATABLE_READ)
    comparison, messages = Comparison(), 0
    for region in await history.regions(connection):
        start = since - lead(catalogue.rules)
        terminals = await history.terminals(connection, start, region=region)
        blind = await history.blind(connection, region, start, until)
        replay = Replay(catalogue.selection(), terminals, start, region, blind, lateness)
        async for heard in history.heard(connection, terminals, start, until):
            replay.hear(heard)
            if replay.messages % _SAY_EVERY == 0:
                progress(region, heard.at)
        replay.finish(until)
        happened = await _happened(connection, region, replay, since, until)
        comparison.add(happened, list(replay.courses.values()), since)
        messages += replay.messages
    await connection.rollback()
    return comparison, messages


async def _happened(
    connection: Connection, region: str, replay: Replay, since: datetime, until: datetime
) -> list[Past]:
    cells = list(replay.engine.cells)
    parameters = {"region": region, "cells": cells, "since": since, "until": until}
    cursor = await connection.execute(_SQL["faults"], parameters)
    found = []
    async for *key, cell, severity, started, fired, cleared, alone, ticketed in cursor:
        found.append(
            Past(
                Course(HoldKey(*key), cell, Severity(severity), started, fired, cleared, alone),
                ticketed,
            )
        )
    return found
