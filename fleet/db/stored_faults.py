"""What explanations of terminals and of cells have in common: rules asked, faults, windows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from fleet.db.history import Connection
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.rules.document import nearest
from fleet.rules.explanation import Known, Speaker, Window
from fleet.rules.replay import lead
from fleet.rules.rule import Rule, Scope

_SQL = load("fleet.db", "stored_faults")
INSTANT = timedelta(microseconds=1)

Windows = list[tuple[Window, str | None]]
"""Each with the component that it is about; None: all."""


def start(at: datetime, catalogue: Catalogue) -> datetime:
    """When a replay up to a time begins."""
    return at - lead(catalogue.variants())


def asked_of(catalogue: Catalogue, rule: str | None, scope: Scope) -> tuple[Rule, ...]:
    """The rules of a scope, or the one asked for; `LookupError` where the catalogue has none."""
    names = [each.name for each in catalogue.rules if each.scope == scope]
    if rule is not None and rule not in names:
        hint = nearest(rule, names)
        raise LookupError(f"{catalogue.identity} has no rule {rule} of a {scope}: {hint}")
    return tuple(
        each for each in catalogue.rules if each.scope == scope and rule in (None, each.name)
    )


def fault(facts: Sequence[Any]) -> Known:
    """A fault as it is stored, from its row."""
    key, item, started, fired, cleared, catalogue, by, by_rule, by_subject = facts
    speaker = None if by is None else Speaker(by, by_rule, by_subject)
    return Known(key, item, started, fired, cleared, catalogue, speaker)


async def windows_about(
    connection: Connection,
    at: datetime,
    cells: Sequence[str],
    terminal_id: int | None = None,
    kind: str | None = None,
) -> Windows:
    """What holds the tickets of a terminal in these cells at a time, or of the cell itself."""
    asked = {"id": terminal_id, "kind": kind, "cells": list(cells), "at": at}
    cursor = await connection.execute(_SQL["windows"], asked)
    return [(Window(*row[:5]), row[5]) async for row in cursor]


def about(windows: Windows, rule: Rule) -> tuple[Window, ...]:
    """Those that hold the tickets of a rule."""
    return tuple(each for each, component in windows if component in (None, rule.component))
