"""Figures, outages and the availability of a cell as tables; times in whole microseconds."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import pyarrow as pa

from api.cells.schemas import TerminalUptime, Uptime
from api.tables import INSTANT, SHARE, TEXT, TEXTS, WHOLE, Column
from fleet.service_state import OUT_OF_SCOPE, ServiceState

_IN_COLUMNS = [
    state for state in ServiceState if state not in OUT_OF_SCOPE | {ServiceState.UNKNOWN}
]


def _columns(type_: pa.DataType, *names: str, of: str = "") -> tuple[Column, ...]:
    return tuple(Column(name, type_, attrgetter(of + name)) for name in names)


def _in_state(state: ServiceState, of: str) -> Column:
    by_state = attrgetter(f"{of}by_state_us")
    return Column(f"{state}_us", WHOLE, lambda row: by_state(row).get(state))


def _figures(of: str = "") -> tuple[Column, ...]:
    return (
        *_columns(WHOLE, "scope_us", "up_us", "down_us", "unknown_us", of=of),
        *_columns(SHARE, "operational", "technical", "full_function", "coverage", of=of),
        *(_in_state(state, of) for state in _IN_COLUMNS),
    )


def _window(of: str = "") -> tuple[Column, ...]:
    return (
        Column("from", INSTANT, attrgetter(f"{of}begin")),
        Column("to", INSTANT, attrgetter(f"{of}end")),
    )


SLICES: Sequence[Column] = (
    *_window(),
    *_columns(TEXT, "part"),
    *_columns(WHOLE, "terminals"),
    *_figures(),
    *_columns(WHOLE, "outages", "longest_outage_us", "mtbf_us", "mttr_us"),
    *_columns(WHOLE, "budget_us", "budget_left_us"),
)

OUTAGES: Sequence[Column] = (
    *_columns(TEXT, "terminal", "cell"),
    *_window(),
    *_columns(WHOLE, "us"),
    *_columns(TEXTS, "states", "causes"),
)


@dataclass(frozen=True, slots=True)
class CellRow:
    """A row of a cell's availability: the whole cell, or one terminal of it."""

    whole: Uptime
    terminal: str | None
    part: Uptime | TerminalUptime


CELL: Sequence[Column] = (
    *_columns(TEXT, "cell", of="whole."),
    *_columns(TEXT, "terminal"),
    *_window("whole."),
    *_figures("part."),
)


def of_cell(whole: Uptime) -> Iterator[CellRow]:
    """The rows of a cell's availability: itself, then each terminal that was asked for."""
    yield CellRow(whole, None, whole)
    yield from (CellRow(whole, part.terminal, part) for part in whole.detail or ())
