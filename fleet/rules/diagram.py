"""The hold of a rule for readers: a page of the documentation, drawn from the table.

`python -m fleet.rules.diagram > docs/reference/holds.md` writes it anew; a test compares them.
"""

import sys
from collections.abc import Iterator

from fleet.rules.hold import TABLE, Phase, Signal
from fleet.service_state import CAUSED_BY_RULES, OUT_OF_SCOPE, PRECEDENCE, UP, ServiceState

_INTRODUCTION = """\
# Holds and service states

This page is drawn from the tables in `fleet/rules/hold.py` and `fleet/service_state.py`; a test
fails when they differ.

## The hold of a rule

A condition that turns true is *pending* for the rule's `for`; then the fault fires. One that turns
false is *clearing* for `clear_for`; then the fault clears, dated from when the condition ended.
`neither` is what a condition says while an input is missing, or between `when` and `clear_when`.
While the hold is pending or firing the rule's `impact` applies to the service state.
"""

_STATES = """
## Service states

A terminal is in one state at every instant: the first in this order that applies.
"""

_MEANING = {
    ServiceState.PLANNED_MAINTENANCE: "a maintenance window is open",
    ServiceState.OUT_OF_SCHEDULE: "outside the hours it is meant to serve",
    ServiceState.UNKNOWN: "never heard, or we were blind",
    ServiceState.OFFLINE: "its last will said so, or it is silent",
    ServiceState.SUPERVISOR: "staff are working on it",
    ServiceState.OUT_OF_SERVICE: "a fault keeps customers from using it",
    ServiceState.CASH_OUT: "it works, but has no cash to give",
    ServiceState.DEGRADED: "it serves, with something missing",
    ServiceState.IN_SERVICE: "nothing is wrong",
}


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_picture(), "", *_table(), _STATES, *_states(), ""])


def _picture() -> Iterator[str]:
    yield from ("```mermaid", "stateDiagram-v2", "    [*] --> idle")
    for (before, signal), after in TABLE.items():
        if before is not after:
            yield f"    {before} --> {after}: {signal}"
    yield "```"


def _table() -> Iterator[str]:
    yield f"| | {' | '.join(Signal)} |"
    yield "|---" * (len(Signal) + 1) + "|"
    for phase in Phase:
        cells = " | ".join(TABLE[phase, signal] for signal in Signal)
        yield f"| **{phase}** | {cells} |"


def _states() -> Iterator[str]:
    yield "| | state | when | comes from | counts as |"
    yield "|---|---|---|---|---|"
    for place, state in enumerate(PRECEDENCE, 1):
        source = "a rule's `impact`" if state in CAUSED_BY_RULES else "no rule"
        yield f"| {place} | `{state}` | {_MEANING[state]} | {source} | {_counts(state)} |"


def _counts(state: ServiceState) -> str:
    if state in OUT_OF_SCOPE:
        return "not in scope"
    if state is ServiceState.UNKNOWN:
        return "unknown"
    if state is ServiceState.CASH_OUT:
        return "down; up in technical availability"
    return "up" if state in UP else "down"


if __name__ == "__main__":
    sys.stdout.write(page())
