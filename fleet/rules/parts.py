"""Components that fall silent behind a terminal that speaks: its snapshots come without them.

A component counts once it was said. Nothing but a snapshot without it lets the fault fire: of a
terminal that is itself silent nothing is known.
"""

from datetime import datetime

from fleet.rules.faults import Faults
from fleet.rules.hold import Phase, Signal
from fleet.rules.terminal import Terminal


class Parts:
    """Judges which components a snapshot speaks of."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def judge(self, terminal: Terminal, inputs: set[str], at: datetime) -> None:
        """Judge a snapshot in which these inputs are other than before."""
        heads = {name.partition(".")[0].partition("[")[0] for name in inputs}
        for component, rules in terminal.plan.parts.items():
            moved = component in heads
            said = moved and speaks_of(terminal, component)
            for rule in rules:
                if moved:
                    signal = Signal.CLEAR if said else Signal.RAISE
                    self._faults.signal(terminal, rule, "", signal, at)
                hold = terminal.holds.get((rule.name, ""))
                if hold is not None and hold.phase is Phase.PENDING:
                    self._faults.end(terminal, rule.name, "", at)


def speaks_of(terminal: Terminal, component: str) -> bool:
    """Whether the last snapshot said anything of a component."""
    before = f"{component}."
    listed = [path for path, members in terminal.items.items() if members]
    return component in listed or any(
        path.startswith(before) for path in (*terminal.values, *listed)
    )
