"""What came of a test: every fault with its course, and the service states of each terminal."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from fleet.rules import duration
from fleet.rules.changes import Change, Cleared, Fired, Flapped, Rated, Suppressed, Transition
from fleet.rules.terminal import Terminal
from fleet.rules.trials.calls import Call
from fleet.rules.trials.story import NO_TICKET, T0, Interval, Trial
from fleet.service_state import ServiceState


class Seen:
    """The faults by id, and each terminal's service states by its number."""

    def __init__(self) -> None:
        self.faults: dict[UUID, Interval] = {}
        self.states: dict[int, list[tuple[timedelta, ServiceState]]] = {}
        self._calls: dict[UUID, Call] = {}

    def note(self, changes: Iterable[Change]) -> None:
        """Take in what a step of the engine changed."""
        for change in changes:
            match change:
                case Transition():
                    self.states.setdefault(change.terminal_id, []).append(
                        (change.at - T0, change.state)
                    )
                case Fired():
                    self._calls[change.id] = Call(change)
                    self.faults[change.id] = self._interval(change)
                case Rated() | Cleared() | Suppressed():
                    self._calls[change.id].note(change)
                    self.faults[change.id] = self._turned(self.faults[change.id], change)
                case Flapped():
                    self.faults[change.id] = replace(self.faults[change.id], flapping=True)

    def call(self, trial: Trial, terminals: Mapping[int, Terminal]) -> None:
        """Say of each fault when it called somebody by the end of the test: windows hold it."""
        for key, call in self._calls.items():
            number = call.fired.terminal_id
            at = call.at(trial.windows, None if number is None else terminals[number])
            said = NO_TICKET if at is None or at > trial.until else duration.render(at)
            self.faults[key] = replace(self.faults[key], ticket=said)

    def _interval(self, fired: Fired) -> Interval:
        return Interval(
            fire=fired.fired_at - T0,
            subject=fired.key.subject,
            rule=fired.rule.name,
            item=fired.key.item,
            start=fired.started_at - T0,
            clear=None,
            suppressed_by=self._speaker(fired.suppressed_by),
        )

    def _turned(self, known: Interval, change: Rated | Cleared | Suppressed) -> Interval:
        match change:
            case Rated():
                rating = (change.at - T0, change.severity.value)
                return replace(known, ratings=(*known.ratings, rating))
            case Cleared():
                return replace(known, clear=change.cleared_at - T0)
            case Suppressed():
                by = self._speaker(change.by)
                return replace(known, suppressed_by=by) if by else known

    def _speaker(self, fault: UUID | None) -> str | None:
        return None if fault is None else self.faults[fault].rule
