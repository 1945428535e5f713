"""What a scenario does to one terminal: each turn begins, and is over."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from simulator import garbage
from simulator.agenda import Action
from simulator.body import Body
from simulator.errors import RequestError
from simulator.faults import MAINS_LOST
from simulator.properties import Values, resolve
from simulator.trade import Trade
from simulator.wear import Wear

_MAINS = next(iter(MAINS_LOST.values))
_NOTES_AT_ONCE = 5
_HOUR_S = 3600.0


@dataclass(frozen=True, slots=True)
class Turn:
    """What befalls a terminal from `begins_at` to `ends_at` (epoch seconds), and why.

    Properties are set; its clock is wrong by `ahead_s`; notes leak away; garbage is sent; errors of
    components are told (by component, how many an hour); it may restart at the beginning. `hidden`
    is something that no sensor of the terminal notices.
    """

    begins_at: float
    ends_at: float
    values: Mapping[str, object] = field(default_factory=dict)
    cause: str = ""
    ahead_s: float = 0.0
    restart: bool = False
    leak_per_h: float = 0.0
    garbage_per_h: float = 0.0
    errors_per_h: Mapping[str, float] = field(default_factory=dict)
    hidden: str | None = None
    befalls: bool = True


class Turns:
    """One terminal's part in a scenario; `current` are the turns under way, by layer."""

    def __init__(self, body: Body, trade: Trade, wear: Wear, turns: Iterator[Turn]) -> None:
        self._body = body
        self._trade = trade
        self._wear = wear
        self._turns = turns
        self._played = 0
        self.current: dict[str, Turn] = {}
        self.restarting = False
        self.stirred = False
        """Whether a turn has begun or ended since somebody set this to False."""

    def forget(self) -> None:
        """Let all turns under way be over."""
        self.current.clear()

    def await_next(self, _at: float) -> None:
        """Wait for the next turn."""
        turn = next(self._turns, None)
        if turn is not None:
            self._body.agenda.enter(turn.begins_at, lambda at: self._play(turn, at))

    def _play(self, turn: Turn, at: float) -> None:
        self.await_next(at)
        if turn.befalls:
            self._befall(turn, at)

    def _befall(self, turn: Turn, at: float) -> None:
        body = self._body
        try:
            values = resolved(turn.values, body.layers.effective())
        except RequestError:
            return  # this terminal has no such part: the turn passes it by
        self._played += 1
        layer = f"turn {self._played}"
        self.current[layer] = turn
        body.voice.ahead_s += turn.ahead_s
        if values:  # one that sets nothing is no change that a terminal would tell
            body.layers.put(layer, values)
        if values.get(_MAINS) == MAINS_LOST.values[_MAINS]:
            self._wear.drain(at, turn.ends_at, layer)
        self.restarting |= turn.restart
        self.stirred = True
        self._repeat(turn, at, turn.leak_per_h / _NOTES_AT_ONCE, self._leak)
        self._repeat(turn, at, turn.garbage_per_h, self._garbage)
        for component, per_h in turn.errors_per_h.items():
            self._repeat(turn, at, per_h, partial(self._error, component))
        body.agenda.enter(turn.ends_at, lambda at: self._end(turn, layer, at))

    def _end(self, turn: Turn, layer: str, _at: float) -> None:
        if self.current.pop(layer, None) is not None:
            self._body.voice.ahead_s -= turn.ahead_s
            self._body.layers.remove(layer)
            self.stirred = True

    def _repeat(self, turn: Turn, at: float, per_h: float, act: Action) -> None:
        """Do something again and again while the turn lasts."""
        if not per_h:
            return

        def again(at: float) -> None:
            if turn in self.current.values():
                act(at)
                enter(at)

        def enter(at: float) -> None:
            next_at = at + self._body.chance.expovariate(per_h / _HOUR_S)
            if next_at < turn.ends_at:
                self._body.agenda.enter(next_at, again)

        enter(at)

    def _leak(self, at: float) -> None:
        self._trade.leak(at, _NOTES_AT_ONCE)

    def _garbage(self, at: float) -> None:
        self._body.voice.garbage(at, *garbage.make(self._body.chance, at))

    def _error(self, component: str, at: float) -> None:
        self._body.voice.error(at, component, "hardware", "reset")


def resolved(wanted: Mapping[str, object], present: Values) -> Values:
    """The values of a request for a terminal; raises RequestError."""
    values: Values = {}
    for path, value in wanted.items():
        values |= resolve(path, value, present)
    return values
