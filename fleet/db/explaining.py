"""Explanations from what is stored: a terminal replayed up to a time, beside what was decided."""

from contextlib import aclosing
from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from fleet.db import history
from fleet.db.catalogues import Chosen, chosen, deciding, selections, terms
from fleet.db.explaining_cells import explain_cell_at, explain_cell_fault
from fleet.db.history import Connection
from fleet.db.past import past
from fleet.db.sql import load
from fleet.db.stored_faults import INSTANT, about, asked_of, fault, start, windows_about
from fleet.rules.catalogue import Catalogue
from fleet.rules.explanation import Explanation, Known, Member, explain
from fleet.rules.replay import Replay
from fleet.rules.rule import Quorum, Rule
from fleet.rules.terminal import Terminal

_SQL = load("fleet.db", "explaining")
_LATEST = timedelta(days=7)  # how much later than it fired a fault may have been decided


async def explain_subject(
    connection: Connection,
    code: str,
    at: datetime,
    given: Catalogue | None = None,
    rule: str | None = None,
    lateness: timedelta = timedelta(),
) -> tuple[Explanation, ...]:
    """What each rule says of a terminal or of a cell at a time, or one of them.

    By the catalogue that was in force then, unless one is given. Raises `LookupError` for a subject
    or a rule that is not known.
    """
    cursor = await connection.execute(_SQL["subject"], {"code": code})
    row = await cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no terminal or cell {code}")
    if row[0] == "cell":
        return await explain_cell_at(connection, code, at, given, rule, lateness)
    return await explain_terminal(connection, code, at, given, rule, lateness)


async def explain_terminal(
    connection: Connection,
    code: str,
    at: datetime,
    given: Catalogue | None = None,
    rule: str | None = None,
    lateness: timedelta = timedelta(),
) -> tuple[Explanation, ...]:
    """What each rule says of a terminal at a time, or one of them; none where that is of cells.

    What was written by then is judged in its place, if it came no later than `lateness`. By the
    catalogue that was in force then, unless one is given. Raises `LookupError` for a terminal or a
    rule that is not known.
    """
    region = await _region(connection, code)
    by = await chosen(connection, region, at, given)
    catalogue, standing = by
    asked = asked_of(catalogue, rule, "terminal")
    replay, terminal = await _replay(connection, code, at, at, by, lateness)
    async with aclosing(
        history.heard(connection, [terminal], start(at, catalogue), at + lateness + INSTANT)
    ) as all_heard:
        async for heard in all_heard:
            replay.hear_up_to(at, heard)
    replay.finish(at)
    known = await _known(connection, terminal, at)
    windows = await windows_about(
        connection, at, [terminal.cell, *terminal.above], terminal.id, terminal.kind
    )
    return tuple(
        explain(
            terminal, each, at, catalogue.identity, standing, tuple(known.get(each.name, ())),
            about(windows, each),
        )
        for each in asked
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
    known = fault(facts)
    at = known.fired_at
    catalogue, standing = await deciding(connection, known.catalogue, present)
    rule = next((each for each in catalogue.rules if each.name == name), None)
    if scope == "platform" or rule is None:
        why = "a fault of a rule that no catalogue has any more"
        if scope == "platform":
            why = "our own outage, and no terminal's: no rule decided"
        return Explanation(subject, name, at, known.catalogue, standing, why, faults=(known,))
    by = Chosen(catalogue, standing)
    if scope != "terminal":
        found = await explain_cell_fault(connection, subject, rule, by, known, lateness)
        # What the terminals said is kept less long than what was decided.
        return found if found.members else replace(
            found, members=await _members(connection, key, rule)
        )  # fmt: skip
    terminal = await _as_it_fired(connection, subject, key, known, by, lateness)
    windows = await windows_about(
        connection, at, [terminal.cell, *terminal.above], terminal.id, terminal.kind
    )
    return explain(
        terminal, rule, at, catalogue.identity, standing, (known,), about(windows, rule)
    )  # fmt: skip


async def _region(connection: Connection, code: str) -> str:
    cursor = await connection.execute(_SQL["region"], {"code": code})
    row = await cursor.fetchone()
    if row is None:
        raise LookupError(f"there is no terminal {code}")
    return str(row[0])


async def _as_it_fired(
    connection: Connection,
    code: str,
    key: UUID,
    known: Known,
    by: Chosen,
    lateness: timedelta,
) -> Terminal:
    """The terminal replayed up to the moment when the fault fired, whenever that was decided."""
    since, fired = known.started_at, known.fired_at
    replay, terminal = await _replay(connection, code, since, fired, by, lateness)
    began, last = start(since, by.catalogue), fired + _LATEST
    async with aclosing(history.heard(connection, [terminal], began, last)) as all_heard:
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
    connection: Connection,
    code: str,
    at: datetime,
    until: datetime,
    by: Chosen,
    lateness: timedelta,
) -> tuple[Replay, Terminal]:
    """One that shows what was so `at` a time, by the catalogues in force up to `until`."""
    began = start(at, by.catalogue)
    found = await history.terminals(connection, began, codes=[code])
    if not found:
        raise LookupError(f"there is no terminal {code}")
    region = found[0].region
    # Of one terminal alone nothing can be said about cells.
    in_force = await terms(connection, region, began, until, by)
    rules, successors = selections(in_force, cells=False)
    blind = await history.blind(connection, region, began, at + _LATEST)
    was = await past(connection, found, began, at + _LATEST)
    replay = Replay(rules, found, began, region, blind, lateness, was, successors=successors)
    return replay, found[0]


async def _known(
    connection: Connection, terminal: Terminal, at: datetime
) -> dict[str, list[Known]]:
    cursor = await connection.execute(_SQL["known"], {"id": terminal.id, "at": at})
    found: dict[str, list[Known]] = {}
    async for rule, *facts in cursor:
        found.setdefault(rule, []).append(fault(facts))
    return found


async def _members(connection: Connection, key: UUID, rule: Rule) -> tuple[Member, ...]:
    named = list(rule.trigger.members) if isinstance(rule.trigger, Quorum) else []
    cursor = await connection.execute(_SQL["members"], {"id": key, "rules": named})
    return tuple([Member(*row) async for row in cursor])
