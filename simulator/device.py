"""One terminal as a discrete-event model: pure, seeded, without a clock.

Rules:

- What happens, happens at its own instant on the agenda, in order; `live` plays all that is due
  and returns what the terminal says about it. How often it is called changes nothing.
- All chance comes from (seed, terminal, boot), and what is in it when it starts may be given: the
  fleet's size changes no terminal's story, and the same seed gives the same bytes. Whether somebody
  keeps the truth about it changes no byte.
- A snapshot goes out every heartbeat and at once when a property changes. Counters (notes in a
  cassette) are no change: they ride on the next snapshot.
- While the line is down messages are made all the same: the journal keeps them. While its software
  hangs or it has no power a terminal makes none, and then it begins its next boot.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Protocol

from simulator.agenda import Agenda
from simulator.behaviour import Behaviour
from simulator.body import Body
from simulator.faults import FAULTS
from simulator.layers import HANDS, Layers
from simulator.properties import Values
from simulator.supplies import Stock, Supplies
from simulator.trade import Trade
from simulator.turns import Turn, Turns, resolved
from simulator.voice import Entry, Garbage, Line, Manner, Moved, Outgoing, Voice
from simulator.wear import Wear, layer_of

SLOW_HEARTBEAT = 2
SLOWEST_HEARTBEAT_S = 150.0


@dataclass(frozen=True, slots=True)
class Origin:
    """What a device's story follows from, with its behaviour; `kind` is atm, recycler or kiosk."""

    code: str
    kind: str
    seed: int
    boot: int
    start: float
    vendor: str = ""
    stock: Stock | None = None
    """What it was left with; else chance says, and where that is less than it may begin with."""


class Witness(Protocol):
    """Who keeps the truth about a terminal."""

    def see(self, at: float, layers: Layers, turns: Mapping[str, Turn]) -> None:
        """Look at the terminal after something about it has changed."""


class Device:
    """The story of one terminal; times are epoch seconds."""

    def __init__(
        self,
        origin: Origin,
        behaviour: Behaviour,
        turns: Iterator[Turn] | None = None,
        witness: Witness | None = None,
    ) -> None:
        self.code = origin.code
        # A simulation, not a secret.
        chance = random.Random(f"{origin.seed}/{origin.code}/{origin.boot}")  # noqa: S311
        site = random.Random(f"{origin.seed}/{origin.code}/site").random()  # noqa: S311
        supplies = self._supplies = Supplies(origin.kind, chance, behaviour.stock_at_start)
        if origin.stock is not None:
            supplies.restore(origin.stock)
        self._layers = Layers(supplies.in_order())
        quirks = frozenset(behaviour.quirks.get(origin.vendor, ()))
        self._heartbeat_s = behaviour.heartbeat_s
        if "slow" in quirks:
            slow = min(SLOW_HEARTBEAT * behaviour.heartbeat_s, SLOWEST_HEARTBEAT_S)
            self._heartbeat_s = max(behaviour.heartbeat_s, slow)
        self._voice = Voice(origin.boot, self._layers, chance, Manner(quirks, behaviour.measure_s))
        self._agenda = Agenda()
        self._body = Body(self._agenda, self._layers, self._voice, chance, behaviour)
        self._trade = Trade(self._body, supplies, behaviour.pace(busy=site < behaviour.busy_share))
        self._wear = Wear(self._body)
        self._turns = Turns(self._body, self._trade, self._wear, turns or iter(()))
        self._witness = witness
        self._was_linked = True
        self._region = ""
        self._agenda.enter(origin.start, self._begin)
        self._agenda.enter(origin.start, self._turns.await_next)

    @property
    def boot(self) -> int:
        """How often the terminal has started."""
        return self._voice.boot

    @property
    def seq(self) -> int:
        """The number of the last message of this boot."""
        return self._voice.seq

    @property
    def stock(self) -> Stock:
        """The notes and the paper in it."""
        return self._supplies.stock

    @property
    def next_at(self) -> float:
        """When `live` has something to do again."""
        return self._agenda.next_at

    @property
    def linked(self) -> bool:
        """Whether the terminal's line is up."""
        return self._body.linked

    def properties(self) -> Values:
        """Every property as it shows now."""
        return dict(self._layers.effective())

    def live(self, now: float) -> list[tuple[float, Entry]]:
        """Play everything due until `now`; returns what happened on the line, with its instants."""
        pop, layers, turns = self._agenda.pop, self._layers, self._turns
        while (due := pop(now)) is not None:
            at, action = due
            action(at)
            if layers.changed or turns.stirred:
                self._tell(at)
        return self._voice.take()

    def advance(self, now: float) -> list[Outgoing]:
        """Play everything due until `now`; returns the messages alone, in order of `seq`."""
        return messages(self.live(now))

    def set_by_hand(self, wanted: Mapping[str, object], now: float) -> list[tuple[float, Entry]]:
        """Break something on purpose, until `repair`; raises RequestError, with nothing set."""
        values = resolved(wanted, self._layers.effective())
        said = self.live(now)
        self._layers.put(HANDS, values)
        self._tell(now)
        return said + self._voice.take()

    def repair(self, now: float) -> list[tuple[float, Entry]]:
        """Put everything in order: hands, faults and scenario undone, supplies refilled."""
        said = self.live(now)
        self._layers.clear()
        self._turns.forget()
        self._voice.ahead_s = 0.0
        self._trade.refill()
        self._tell(now)
        return said + self._voice.take()

    def set_clock(self, ahead_s: float, now: float) -> list[tuple[float, Entry]]:
        """Let the terminal's clock be wrong by so much more, and say so with a snapshot."""
        said = self.live(now)
        self._voice.ahead_s += ahead_s
        self._voice.snapshot(now)
        return said + self._voice.take()

    def restart(self, now: float) -> list[tuple[float, Entry]]:
        """Start the terminal's software anew: the next boot; what a reset cures is cured."""
        said = self.live(now)
        self._start_anew(now)
        return said + self._voice.take()

    def _begin(self, at: float) -> None:
        self._agenda.enter(at + self._body.chance.uniform(0, self._heartbeat_s), self._heartbeat)
        self._trade.begin(at)
        self._wear.begin(at)

    def _heartbeat(self, at: float) -> None:
        self._voice.snapshot(at)
        self._agenda.enter(at + self._heartbeat_s, self._heartbeat)

    def _tell(self, at: float) -> None:
        """Let a change be seen: on the line, by the witness, in a snapshot."""
        body, voice = self._body, self._voice
        changed, restarting = self._layers.changed, self._turns.restarting
        self._turns.restarting = self._turns.stirred = False
        speaks, linked = body.speaks, body.linked
        if linked is not self._was_linked:
            self._was_linked = linked
            voice.line(at, up=linked)
        if body.region != self._region:
            self._region = body.region
            voice.moved(at, self._region)
        if self._witness is not None:
            self._witness.see(at, self._layers, self._turns.current)
        if speaks and (voice.muted or restarting):
            self._start_anew(at)
        elif changed:
            voice.muted = not speaks
            voice.snapshot(at, whole=False)

    def _start_anew(self, at: float) -> None:
        for fault in FAULTS:
            if fault.cured_by_reset:
                self._layers.remove(layer_of(fault.name))
        self._voice.muted = not self._body.speaks
        self._voice.reboot(at)
        if self._witness is not None:
            self._witness.see(at, self._layers, self._turns.current)
        self._voice.snapshot(at)


def messages(entries: list[tuple[float, Entry]]) -> list[Outgoing]:
    """The numbered messages among what happened on a line."""
    return [entry for _, entry in entries if not isinstance(entry, Line | Garbage | Moved)]
