"""What the api changed of a region's terminals, taken in by the engine."""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from collector.registry import Entry, Registry, entry_of, take_in
from fleet.rules import catalogue
from fleet.rules.engine import Engine
from fleet.sla.calendar import FOREVER, Span
from fleet.windows.hours import Hours, Use
from fleet.windows.schedule import Schedule

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
FIRST = Entry(1, "ATM-1", "atm", "C1", "acme", "A-1", ("D1",), commissioned_at=NOW)
SECOND = replace(FIRST, id=2, code="ATM-2")
SHUT = Hours(((Use(Span(NOW, FOREVER), Schedule("UTC", {})),),))


def registry(*entries: Entry) -> Registry:
    return Registry("north", {each.code: each for each in entries}, {})


def test_everything_that_the_api_may_change_is_taken_in_at_once() -> None:
    """Another cell, other hours, works, another model, commissioned later: nothing is left over
    that would be taken in again the next time."""
    engine = Engine(catalogue.load().rules)
    both = registry(FIRST, SECOND)
    assert take_in(engine, registry(), both, NOW) == []
    changed = replace(
        FIRST,
        cell="C2",
        model="A-2",
        in_service=False,
        hours=SHUT,
        commissioned_at=NOW + timedelta(days=1),
    )
    assert take_in(engine, both, registry(changed), NOW) == [2]
    (left,) = engine.terminals.values()
    assert entry_of(left) == changed
    assert left.hours is SHUT
