"""Explanations of cells from what is stored: its terminals replayed, as far as they were heard.

A cell reaches into the regions of its terminals and is decided in each of them by itself.
"""

from collections import defaultdict
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.db import history
from fleet.db.catalogues import Chosen, chosen, selections, terms
from fleet.db.history import Connection
from fleet.db.past import past
from fleet.db.sql import load
from fleet.db.stored_faults import INSTANT, Windows, about, asked_of, fault, start, windows_about
from fleet.rules.catalogue import Catalogue
from fleet.rules.cell_explanation import explain_cell
from fleet.rules.cells import Cell
from fleet.rules.company import in_company
from fleet.rules.explanation import Explanation, Known
from fleet.rules.hold import Hold, Phase
from fleet.rules.plan import cell_rules
from fleet.rules.replay import Replay
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal

_SQL = load("fleet.db", "explaining_cells")

Holds = dict[tuple[str, str], Hold]


@dataclass(frozen=True, slots=True)
class _Part:
    """A cell's part in a region, as it stood at a time."""

    region: str
    cell: Cell
    selection: Selection
    windows: Windows
    lateness: timedelta

    def explain(
        self, rule: Rule, at: datetime, by: Chosen, faults: tuple[Known, ...]
    ) -> Explanation:
        here = self.selection.of_cell(rule, self.cell.code, self.cell.above)
        return explain_cell(
            self.cell, here, self.region, at, by.catalogue.identity, by.standing, faults,
            about(self.windows, here), 2 * self.lateness,
        )  # fmt: skip


async def explain_cell_at(
    connection: Connection,
    code: str,
    at: datetime,
    given: Catalogue | None = None,
    rule: str | None = None,
    lateness: timedelta = timedelta(),
) -> tuple[Explanation, ...]:
    """What each rule about cells says of one at a time, or one of them, in each of its regions.

    Where a cell goes by our own clock, what had arrived by then counts; where it is told in order,
    what had been said by then and came no later than `lateness`. Raises `LookupError` where nobody
    was in it, or for a rule that is not known.
    """
    regions = await _members(connection, code, at, at)
    if not regions:
        raise LookupError(f"there was no terminal in {code} then")
    found: list[Explanation] = []
    for region in regions:
        by = await chosen(connection, region, at, given)
        asked = asked_of(by.catalogue, rule, "cell")
        known = await _known(connection, code, region, at)
        parts: dict[timedelta, _Part] = {}
        for each in asked:
            late = _lateness(by.catalogue, each, lateness)
            if late not in parts:
                parts[late] = await _part(connection, code, region, at, by, late)
            found.append(parts[late].explain(each, at, by, tuple(known.get(each.name, ()))))
    return tuple(found)


async def explain_cell_fault(
    connection: Connection,
    code: str,
    rule: Rule,
    by: Chosen,
    known: Known,
    lateness: timedelta = timedelta(),
) -> Explanation:
    """A cell's fault as it stood when it fired."""
    late = _lateness(by.catalogue, rule, lateness)
    part = await _part(connection, code, known.item, known.fired_at, by, late)
    return part.explain(rule, known.fired_at, by, (known,))


def _lateness(catalogue: Catalogue, rule: Rule, lateness: timedelta) -> timedelta:
    """How late what a cell's rule counts may come; nothing where it goes by our own clock."""
    rules = {each.name: each for each in catalogue.rules}
    in_order = rule.name in in_company(rules, cell_rules(catalogue.rules))
    return lateness if in_order else timedelta()


async def _part(
    connection: Connection, code: str, region: str, at: datetime, by: Chosen, lateness: timedelta
) -> _Part:
    began = start(at, by.catalogue)
    rules, successors = selections(await terms(connection, region, began, at, by), cells=True)
    codes = (await _members(connection, code, began, at)).get(region, [])
    terminals = await history.terminals(connection, began, codes=codes)
    was = await past(connection, terminals, began, at)
    cells = {code: await _stand(connection, code, region, terminals, began)}
    blind = await history.blind(connection, region, began, at)
    replay = Replay(
        rules, terminals, began, region, blind, lateness, was, cells, successors=successors
    )
    last = at + lateness + INSTANT
    async with aclosing(history.heard(connection, terminals, began, last)) as all_heard:
        async for heard in all_heard:
            replay.hear_up_to(at, heard)
    if lateness:
        replay.finish(at)
    else:
        replay.pass_time(at)
    windows = await windows_about(connection, at, [code, *was.path(code, at)])
    return _Part(region, replay.engine.cells[code], by.catalogue.selection(), windows, lateness)


async def _members(
    connection: Connection, cell: str, since: datetime, until: datetime
) -> dict[str, list[str]]:
    asked = {"cell": cell, "since": since, "until": until}
    cursor = await connection.execute(_SQL["members"], asked)
    found: dict[str, list[str]] = defaultdict(list)
    async for region, code in cursor:
        found[region].append(code)
    return found


async def _stand(
    connection: Connection, cell: str, region: str, terminals: list[Terminal], at: datetime
) -> Holds:
    """Give terminals the faults that they had when the replay begins; returns the cell's."""
    by_id = {each.id: each for each in terminals}
    asked = {"ids": list(by_id), "cell": cell, "region": region, "at": at}
    cursor = await connection.execute(_SQL["standing"], asked)
    found: Holds = {}
    async for scope, terminal, rule, item, fired, started, key, by in cursor:
        holds = found if scope == "cell" else by_id[terminal].holds
        holds[rule, item] = Hold(Phase.FIRING, fired, started, key, by)
    return found


async def _known(
    connection: Connection, cell: str, region: str, at: datetime
) -> dict[str, list[Known]]:
    asked = {"cell": cell, "region": region, "at": at}
    cursor = await connection.execute(_SQL["known"], asked)
    found: dict[str, list[Known]] = defaultdict(list)
    async for rule, *facts in cursor:
        found[rule].append(fault(facts))
    return found
