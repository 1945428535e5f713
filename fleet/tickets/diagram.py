"""The lifecycle for readers: a page of the documentation, drawn from the table.

`python -m fleet.tickets.diagram > docs/reference/ticket-lifecycle.md` writes it anew.
"""

import sys

from fleet.tickets.lifecycle import MOVES, Event, Move, Role
from fleet.tickets.ticket import ENDED, State

_INTRODUCTION = """\
# The lifecycle of a ticket

This page is drawn from the table in `fleet/tickets/lifecycle.py`; a test fails when they differ.

- **engine** is the system itself; **technician** is the one the ticket is assigned to, nobody else.
- A move that the table has not is refused with status 409 and the events that are allowed; one that
  your role may not make, with 403; one that lacks what it needs, with 422. Nothing is written then.
- Events that lead back to the same state (left out of the picture) are noted and change no state.
- A ticket that is CLOSED, CANCELLED or MERGED has ended: a later fault of the same cause gets a
  ticket of its own, linked by `previous`.
"""

_ENGINE = """
## What the engine does

| when | event |
|---|---|
| a fault fires whose cause has no live ticket, and it is neither a `warning` nor suppressed \
by a cell fault | `raise` |
| a ticket is NEW, or ASSIGNED and neither accepted nor pinned | `assign`: to whom the lowest cost \
over all open tickets sends it ([dispatch](dispatch.md)), but nobody who declined it, let its \
time run out, or was relieved of it; while there is none it stays as it is |
| the fault clears before anyone accepted | `recover`: RESOLVED |
| the fault clears later | `recover`: only `recovered_at` is set, a person is on the way |
| they give it back, and no person asks for somebody since | `recover`: RESOLVED |
| the same cause fires again while the ticket is live | `relapse`: `recovered_at` is unset |
| the fault becomes more or less severe by the stages of its rule | `rate`: the reason says from \
what to what; the [clocks](service-levels.md) go by it |
| a technician declines | `escalate`: the reason is `declined`, the note says who is told |
| a technician does not accept within `TELLERGRID_ACCEPT_MINUTES` | `time_out`, then `escalate`: \
the reason is `not accepted` |
| whoever accepted a ticket has an account that is disabled | `escalate`: the reason is \
`account disabled`; the ticket stays theirs until operations assign it anew ([how](dispatch.md)) |
| whoever accepted a ticket is absent by now | `escalate`: the reason is `absent`; likewise |
| whoever accepted a ticket answers for its cell no more, and does not see it | `escalate`: the \
reason is `other cells`; likewise |
| a running clock of the service level comes to its warning or passes its target | `escalate`: \
the reason says which, the note who is told; once for each since raised or reopened |
| the same cause fires again after RESOLVED, or is still there when the verify window ends | \
`reopen` |
| the verify window after RESOLVED ends and the fault is gone | `close` |
| a cell fault takes over before anyone accepted | `merge` into the cell's ticket |
| the cell fault lets go of a fault that is still there | `raise`: a ticket of its own |

The **line** of a ticket is its rule's: 1 is what branch staff can clear, 2 takes a field engineer.
`hand_over` gives it to the other line: it is NEW again, and goes to somebody of that line.

Where whoever accepted it fell ill, or shall do something else, operations `assign` it to another,
with the reason: its line, its clocks and its history stay, and it waits to be accepted anew. Who
cannot go on gives it back with `decline`, and dispatch sends another.

Operations raise tickets by hand: of an open fault that has none (a warning, one that was
cancelled), or of something that no telemetry tells. That one is resolved by hand, and closes when
the verify window ends.

A ticket that operations cancelled stays cancelled: the fault it was about raises no other.
One that operations merged is spoken for by its parent as long as that is live, or by the one which
that was merged into, and so on.
"""
_LIVE = frozenset(State) - ENDED


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_INTRODUCTION, *_picture(), "", *_table(), _ENGINE])


def _picture() -> list[str]:
    """A Mermaid state diagram: an arrow for each way between two states.

    What may happen in every live state is one arrow, from a frame around them.
    """
    ways: dict[tuple[str, str], list[str]] = {}
    for move in MOVES:
        if move.source is not move.target:
            source = "Live" if _from_anywhere(move) else move.source or "[*]"
            events = ways.setdefault((source, move.target), [])
            if move.event not in events:
                events.append(move.event)
    arrows = {way: f"{way[0]} --> {way[1]}: {', '.join(events)}" for way, events in ways.items()}
    inside = [f"        {arrow}" for way, arrow in arrows.items() if _LIVE.issuperset(way)]
    outside = [f"    {arrow}" for way, arrow in arrows.items() if not _LIVE.issuperset(way)]
    ends = [f"    {state} --> [*]" for state in sorted(ENDED)]
    frame = ["    state Live {", *inside, "    }"]
    return ["```mermaid", "stateDiagram-v2", *frame, *outside, *ends, "```"]


def _from_anywhere(move: Move) -> bool:
    alike = {(other.source) for other in MOVES if other.event is move.event}
    return move.target in ENDED and alike == _LIVE


def _table() -> list[str]:
    """Rows that differ only in where they begin are one."""
    rows: dict[tuple[str, ...], list[str]] = {}
    for move in sorted(MOVES, key=lambda move: list(Event).index(move.event)):
        event, *rest = _cells(move)
        rows.setdefault((event, *rest), []).append(move.source or "")
    head = ["## Moves", "", "| event | from | to | who | only if | needs |"]
    body = [
        "| " + " | ".join((event, ", ".join(sources), *rest)) + " |"
        for (event, *rest), sources in rows.items()
    ]
    return [*head, "|---|---|---|---|---|---|", *body]


def _cells(move: Move) -> tuple[str, ...]:
    who = ", ".join(role for role in Role if role in move.by)
    target = "the same" if move.source is move.target else move.target
    only_if = "; ".join(sorted(move.only_if))
    return (f"`{move.event}`", target, who, only_if, ", ".join(sorted(move.needs)))


if __name__ == "__main__":
    sys.stdout.write(page())
