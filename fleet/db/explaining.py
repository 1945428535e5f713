"""Explanations from what is stored: a terminal replayed up to a time, beside what was decided."""

from collections.abc import Sequence
from contextlib import aclosing
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fleet.db import history
from fleet.db.history import Connection
from fleet.db.past import past
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.explanation import (
    Explanation,
    Known,
    Member,
    Speaker,
    Window,
    explain,
    explain_cell,
)
from fleet.rules.recalled import recall
from fleet.rules.replay import Replay, lead
from fleet.rules.rule import Quorum, Rule
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal

_SQL = load("fleet.db", "explaining")
_INSTANT = timedelta(microseconds=1)
_LATEST = timedelta(days=7)  # how much later than it fired a fault may have been decided


async def explain_terminal(
    connection: Connection,
    code: str,
    at: datetime,
    catalogue: Catalogue,
    rule: str | None = None,
    lateness: timedelta = timedelta(),
) -> tuple[Explanation, ...]:
    """What each rule says of a terminal at a time, or one of them; none where there is no such.

    What was written by then is judged in its place, if it came no later than `lateness`. Raises
    `LookupError` for a terminal that is not known.
    """
    replay, terminal = await _replay(connection, code, at, catalogue, lateness)
    async with aclosing(
        history.heard(connection, [terminal], _start(at, catalogue), at + lateness + _INSTANT)
    ) as all_heard:
        async for heard in all_heard:
            replay.hear_up_to(at, heard)
    replay.finish(at)
    known = await _known(connection, terminal, at)
    windows = await _windows(connection, terminal, at)
    asked = [each for each in catalogue.rules if rule in (None, each.name)]
    return tuple(
        explain(
            terminal, each, at, catalogue.identity, tuple(known.get(each.name, ())),
            _about(windows, each),
        )
        for each in asked
        if each.scope == "terminal"
    )  # fmt: skip


async def explain_fault(
    connection: Connection, key: UUID, present: Catalogue, lateness: timedelta = timedelta()
) -> Explanation:
    """A fault as it stood when it fired, by the catalogue that decided; `present` where that one
    was not kept. Raises `LookupError` for a fault that is not known."""
    cursor = await connection.execute(_SQL["fault"], {"id": key})
    row = await cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no fault {key}")
    scope, subject, name, *facts = row
    known = _fault(facts)
    catalogue = await _catalogue(connection, known.catalogue) or present
    rule = next((each for each in catalogue.rules if each.name == name), None)
    if scope == "platform":
        return Explanation(
            subject, name, known.fired_at, known.catalogue,
            "our own outage, and no terminal's: no rule decided", faults=(known,),
        )  # fmt: skip
    if rule is None:
        return Explanation(
            subject, name, known.fired_at, known.catalogue,
            "a fault of a rule that no catalogue has any more", faults=(known,),
        )  # fmt: skip
    if scope != "terminal":
        members = await _members(connection, key, rule)
        return explain_cell(rule, subject, catalogue.identity, known, members)
    terminal = await _as_it_fired(connection, subject, key, known, catalogue, lateness)
    windows = _about(await _windows(connection, terminal, known.fired_at), rule)
    return explain(terminal, rule, known.fired_at, catalogue.identity, (known,), windows)


async def _as_it_fired(
    connection: Connection,
    code: str,
    key: UUID,
    known: Known,
    catalogue: Catalogue,
    lateness: timedelta,
) -> Terminal:
    """The terminal replayed up to the moment when the fault fired, whenever that was decided."""
    replay, terminal = await _replay(connection, code, known.started_at, catalogue, lateness)
    start, last = _start(known.started_at, catalogue), known.fired_at + _LATEST
    async with aclosing(history.heard(connection, [terminal], start, last)) as all_heard:
        async for heard in all_heard:
            replay.pass_time(heard.at)
            if key in replay.courses:
                return terminal
            replay.hear(heard)
            if key in replay.courses:
                return terminal
    replay.pass_time(last)
    return terminal


async def _replay(
    connection: Connection, code: str, at: datetime, catalogue: Catalogue, lateness: timedelta
) -> tuple[Replay, Terminal]:
    start = _start(at, catalogue)
    found = await history.terminals(connection, start, codes=[code])
    if not found:
        raise LookupError(f"there is no terminal {code}")
    # Of one terminal alone nothing can be said about cells.
    rules = [each for each in catalogue.rules if each.scope == "terminal"]
    selection = Selection(rules, catalogue.overrides)
    blind = await history.blind(connection, found[0].region, start, at + _LATEST)
    was = await past(connection, found, start, at + _LATEST)
    return Replay(selection, found, start, found[0].region, blind, lateness, was), found[0]


def _start(at: datetime, catalogue: Catalogue) -> datetime:
    return at - lead(catalogue.rules)


async def _catalogue(connection: Connection, identity: str) -> Catalogue | None:
    content = await history.catalogue_content(connection, identity)
    return None if content is None else recall(content, identity)


async def _known(
    connection: Connection, terminal: Terminal, at: datetime
) -> dict[str, list[Known]]:
    cursor = await connection.execute(_SQL["known"], {"id": terminal.id, "at": at})
    found: dict[str, list[Known]] = {}
    async for rule, *facts in cursor:
        found.setdefault(rule, []).append(_fault(facts))
    return found


def _fault(facts: Sequence[Any]) -> Known:
    key, item, started, fired, cleared, catalogue, by, by_rule, by_subject = facts
    speaker = None if by is None else Speaker(by, by_rule, by_subject)
    return Known(key, item, started, fired, cleared, catalogue, speaker)


async def _members(connection: Connection, key: UUID, rule: Rule) -> tuple[Member, ...]:
    named = list(rule.trigger.members) if isinstance(rule.trigger, Quorum) else []
    cursor = await connection.execute(_SQL["members"], {"id": key, "rules": named})
    return tuple([Member(*row) async for row in cursor])


async def _windows(
    connection: Connection, terminal: Terminal, at: datetime
) -> list[tuple[Window, str | None]]:
    cells = [terminal.cell, *terminal.above]
    asked = {"id": terminal.id, "kind": terminal.kind, "cells": cells, "at": at}
    cursor = await connection.execute(_SQL["windows"], asked)
    return [(Window(*row[:5]), row[5]) async for row in cursor]


def _about(windows: list[tuple[Window, str | None]], rule: Rule) -> tuple[Window, ...]:
    return tuple(each for each, component in windows if component in (None, rule.component))
