"""What changes of service states and faults make the database do: statements of `store.sql`."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from uuid import UUID

from collector.statement import Statement
from fleet.rules.changes import (
    Change,
    Cleared,
    FaultChange,
    Fired,
    Flapped,
    Rated,
    Suppressed,
    Transition,
)


def service(transitions: Sequence[Transition]) -> Iterator[Statement]:
    """Service states now, and the intervals that end and begin."""
    if transitions:
        last = {each.terminal_id: each for each in transitions}
        yield Statement(
            "update_service_state",
            {
                "ids": list(last),
                "states": [each.state.value for each in last.values()],
                "ats": [each.at for each in last.values()],
            },
        )
        yield Statement(
            "cut_service_intervals",
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
            },
        )
        yield Statement(
            "insert_service_intervals",
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
                "states": [each.state.value for each in transitions],
                "causes": [",".join(each.causes) for each in transitions],
            },
        )


def faults(changes: Sequence[Change], catalogue: str) -> Iterator[Statement]:
    """What became of faults, told in the feed; of those of rules on trial, kept aside."""
    real = False
    for change in changes:
        if isinstance(change, Transition):
            continue
        if _is_shadow(change):
            yield from _shadow_fault(change, catalogue)
        else:
            yield from _fault(change, catalogue)
            real = True
    if real:
        yield Statement("notify_fault")


def _is_shadow(change: FaultChange) -> bool:
    return change.rule.shadow if isinstance(change, Fired) else bool(change.shadow)


def _fault(change: FaultChange, catalogue: str) -> Iterator[Statement]:
    match change:
        case Fired():
            yield Statement("insert_fault", _fault_row(change, catalogue))
            yield _feed(change.id, "fired", change.fired_at, by=change.suppressed_by)
        case Rated():
            what = "escalated" if change.worse else "eased"
            yield Statement("rate_fault", (change.severity.value, change.id))
            yield _feed(change.id, what, change.at, change.severity.value)
        case Cleared():
            yield Statement("clear_fault", (change.cleared_at, change.id))
            yield _feed(change.id, "cleared", change.at)
        case Suppressed():
            yield Statement("suppress_fault", (change.by, change.id))
            what = "suppressed" if change.by else "released"
            yield _feed(change.id, what, change.at, by=change.by)
        case Flapped():
            what = "flapping" if change.flapping else "steady"
            yield Statement(f"{what}_fault", (change.at, change.id))
            yield _feed(change.id, what, change.at)


def _shadow_fault(change: FaultChange, catalogue: str) -> Iterator[Statement]:
    """A fault of a rule on trial: no feed, so nobody is told."""
    match change:
        case Fired():
            yield Statement("insert_shadow", _fault_row(change, catalogue))
        case Rated():
            yield Statement("rate_shadow", (change.severity.value, change.id))
        case Cleared():
            yield Statement("clear_shadow", (change.cleared_at, change.id))
        case Suppressed():
            yield Statement("suppress_shadow", {"id": change.id, "by": change.by})
        case Flapped(flapping=True):
            yield Statement("flapping_shadow", (change.id,))
        case _:
            pass


def _feed(
    fault_id: UUID, change: str, at: datetime, severity: str | None = None, by: UUID | None = None
) -> Statement:
    return Statement("insert_fault_change", (fault_id, change, at, severity, by))


def _fault_row(fired: Fired, catalogue: str) -> dict[str, object]:
    rule = fired.rule
    return {
        "id": fired.id,
        "scope": fired.key.scope,
        "subject": fired.key.subject,
        "terminal_id": fired.terminal_id,
        "cell_code": fired.cell,
        "rule": rule.name,
        "item": fired.key.item,
        "severity": fired.severity.value,
        "component": rule.component,
        "impact": rule.impact.value if rule.impact else "none",
        "title": rule.title,
        "remedy": rule.remedy,
        "skill": rule.skill,
        "line": rule.line,
        "parts": list(rule.parts),
        "started_at": fired.started_at,
        "fired_at": fired.fired_at,
        "suppressed_by": fired.suppressed_by,
        "catalogue": catalogue,
    }
