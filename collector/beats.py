"""What every message of a terminal changes in `terminal_state`."""

from collections.abc import Mapping, Sequence

from collector import columns
from collector.columns import Column
from collector.rows import microseconds
from fleet.rules.terminal import Terminal

Beat = tuple[int, int, int, int | None, int | None, int | None, bool | None, bytes]
"""The terminal's id, boot, seq, when it was said, when it arrived and when it was heard last, in
microseconds since 2000, whether it is connected, and its metrics (empty: none)."""


def beat(terminal: Terminal) -> Beat:
    """How far a terminal has come."""
    at, arrived, heard = (
        None if each is None else microseconds(each)
        for each in (terminal.at, terminal.arrived_at, terminal.heard_at)
    )
    return (
        terminal.id, terminal.boot, terminal.seq, at, arrived, heard, terminal.connected,
        terminal.metrics,
    )  # fmt: skip


def packed(beats: Sequence[Beat]) -> Mapping[str, Column]:
    """The parameters of the statements that write them."""
    ids, boots, seqs, ats, arrivals, hearings, connections, metrics = zip(*beats, strict=True)
    return {
        "ids": columns.integers(ids),
        "boots": columns.integers(boots),
        "seqs": columns.bigints(seqs),
        "ats": columns.instants(ats),
        "arrivals": columns.instants(arrivals),
        "hearings": columns.instants(hearings),
        "connections": columns.booleans(connections),
        "metrics": columns.documents(metrics),
    }
