"""Plays what is stored to another catalogue and compares; the database is only read."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from psycopg import AsyncConnection, IsolationLevel
from psycopg.rows import TupleRow

from fleet.db import history
from fleet.db.past import past
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.changes import HoldKey
from fleet.rules.past import Past as WasSo
from fleet.rules.replay import Course, Replay, lead
from fleet.rules.severity import Severity
from fleet.rules.terminal import Terminal
from fleet.windows.holding import due
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
        start = since - lead(catalogue.variants())
        terminals = await history.terminals(connection, start, region=region)
        blind = await history.blind(connection, region, start, until)
        was = await past(connection, terminals, start, until)
        replay = Replay(catalogue.selection(), terminals, start, region, blind, lateness, was)
        kinds = {each.id: each for each in terminals}
        async for heard in history.heard(connection, terminals, start, until):
            replay.hear(heard)
            if replay.messages % _SAY_EVERY == 0:
                progress(region, heard.at)
        replay.finish(until)
        happened = await _happened(connection, region, replay, since, until)
        held = partial(_held, was, kinds, until)
        happened = [Past(held(each.course), each.ticketed) for each in happened]
        comparison.add(happened, list(map(held, replay.courses.values())), since)
        messages += replay.messages
    await connection.rollback()
    return comparison, messages


def _held(was: WasSo, terminals: Mapping[int, Terminal], until: datetime, course: Course) -> Course:
    """The fault, with whether windows would have kept it from calling anybody, as the api does."""
    terminal = None if course.terminal_id is None else terminals.get(course.terminal_id)
    spans = was.holding(terminal, course.cell, course.component, course.fired_at)
    calls_at = due(course.fired_at, course.fired_at - course.started_at, spans)
    over = course.ended_at or course.cleared_at or until
    return replace(course, held=calls_at > course.fired_at and calls_at >= over)


async def _happened(
    connection: Connection, region: str, replay: Replay, since: datetime, until: datetime
) -> list[Past]:
    cells = list(replay.engine.cells)
    parameters = {"region": region, "cells": cells, "since": since, "until": until}
    cursor = await connection.execute(_SQL["faults"], parameters)
    found = []
    async for *key, cell, severity, started, fired, cleared, alone, part, of, calls in cursor:
        went = started, fired, cleared
        course = Course(HoldKey(*key), cell, Severity(severity), *went, alone, part, of)
        found.append(Past(course, calls))
    return found
