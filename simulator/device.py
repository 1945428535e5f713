"""One terminal as a discrete-event model: pure, seeded, without a clock.

Rules:

- What happens, happens at its own instant on the agenda, in order; `advance` plays all that is due
  and returns what the terminal says about it. How often it is called changes nothing.
- All chance comes from (seed, terminal, boot): the fleet's size changes no terminal's story, and
  the same seed gives the same bytes.
- A snapshot goes out every heartbeat and at once when a property changes. Counters (notes in a
  cassette) are no change: they ride on the next snapshot.
- While the line is down messages are made all the same: the journal keeps them.
"""

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from simulator.agenda import Agenda
from simulator.behaviour import BUSYNESS, Behaviour
from simulator.equipment import CURRENCY
from simulator.errors import RequestError
from simulator.faults import possible
from simulator.layers import HANDS, Layers
from simulator.properties import OFFLINE, Values, resolve
from simulator.supplies import Supplies
from simulator.voice import Outgoing, Voice, local_time

_BUSIEST = max(BUSYNESS)
_SAFE_DOOR = "auxiliaries.safeDoor"
_NEEDED_TO_SERVE: Values = {
    "common.device": "online",
    "cardReader.device": "online",
    "cardReader.media": "notPresent",
    "keyManagement.encryptionState": "ready",
    "auxiliaries.operatorSwitch": "run",
    "cashDispenser.device": "online",
    "cashDispenser.positions.outDefault.shutter": "closed",
}


@dataclass(frozen=True, slots=True)
class Turn:
    """A scenario's doing: properties set from `begins_at` to `ends_at` (epoch seconds)."""

    begins_at: float
    ends_at: float
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Origin:
    """What a device's story follows from, with its behaviour; `kind` is atm, recycler or kiosk."""

    code: str
    kind: str
    seed: int
    boot: int
    start: float


class Device:
    """The story of one terminal; times are epoch seconds."""

    def __init__(
        self, origin: Origin, behaviour: Behaviour, turns: Iterator[Turn] | None = None
    ) -> None:
        self.code = origin.code
        self._behaviour = behaviour
        # A simulation, not a secret.
        self._chance = random.Random(f"{origin.seed}/{origin.code}/{origin.boot}")  # noqa: S311
        self._supplies = Supplies(origin.kind, self._chance, behaviour.stock_at_start)
        self._layers = Layers(self._supplies.in_order())
        self._voice = Voice(origin.boot, self._layers, self._chance)
        self._turns = turns or iter(())
        self._played = 0
        self._visit_planned = False
        self._agenda = Agenda()
        self._agenda.enter(origin.start, self._begin)
        self._agenda.enter(origin.start, self._await_turn)

    @property
    def boot(self) -> int:
        """How often the terminal has started."""
        return self._voice.boot

    @property
    def seq(self) -> int:
        """The number of the last message of this boot."""
        return self._voice.seq

    @property
    def next_at(self) -> float:
        """When `advance` has something to do again."""
        return self._agenda.next_at

    @property
    def linked(self) -> bool:
        """Whether the terminal's line is up."""
        return not self._layers.effective().get(OFFLINE, False)

    def properties(self) -> Values:
        """Every property as it shows now."""
        return dict(self._layers.effective())

    def advance(self, now: float) -> list[Outgoing]:
        """Play everything due until `now`; returns the messages, in order of `seq`."""
        while self._agenda.next_at <= now:
            at, action = self._agenda.pop()
            action(at)
            self._tell(at)
        return self._voice.take()

    def set_by_hand(self, wanted: Mapping[str, object], now: float) -> list[Outgoing]:
        """Break something on purpose, until `repair`; raises RequestError, with nothing set."""
        values = self._resolve(wanted)
        said = self.advance(now)
        self._layers.put(HANDS, values)
        self._tell(now)
        return said + self._voice.take()

    def repair(self, now: float) -> list[Outgoing]:
        """Put everything in order: hands, faults and scenario undone, supplies refilled."""
        said = self.advance(now)
        self._layers.clear()
        self._refill()
        self._tell(now)
        return said + self._voice.take()

    def restart(self, now: float) -> list[Outgoing]:
        """Start the terminal's software anew: the next boot; what a reset cures is cured."""
        said = self.advance(now)
        for fault in possible(self._layers.own):
            if fault.cured_by_reset:
                self._layers.remove(_layer(fault.name))
        self._voice.reboot()
        self._voice.snapshot(now)
        return said + self._voice.take()

    def _tell(self, at: float) -> None:
        if self._layers.changed:
            self._voice.snapshot(at)

    # What happens by itself, each an action on the agenda.

    def _begin(self, at: float) -> None:
        behaviour, chance, enter = self._behaviour, self._chance, self._agenda.enter
        enter(at + chance.uniform(0, behaviour.heartbeat_s), self._heartbeat)
        if behaviour.customers_per_s:
            enter(at + self._until_customer(), self._customer)
        if behaviour.faults_per_s:
            enter(at + chance.expovariate(behaviour.faults_per_s), self._fault)
            # As many faults are under way at the start as at any other time.
            under_way = behaviour.faults_per_s * behaviour.duration_s(behaviour.repair_h)
            if chance.random() < under_way:
                self._break_down(at, told=True)
        self._use_up(at)

    def _heartbeat(self, at: float) -> None:
        self._voice.snapshot(at)
        self._agenda.enter(at + self._behaviour.heartbeat_s, self._heartbeat)

    def _customer(self, at: float) -> None:
        self._agenda.enter(at + self._until_customer(), self._customer)
        # Arrivals come at the busiest hour's pace; at other hours some of them stay away.
        stays_away = self._chance.random() > BUSYNESS[local_time(at).hour] / _BUSIEST
        if stays_away or not self._serves():
            return
        done = self._supplies.serve(self._chance)
        self._voice.transaction(at, done.component, done.kind, done.outcome, done.amount, CURRENCY)
        self._use_up(at)

    def _until_customer(self) -> float:
        return self._chance.expovariate(self._behaviour.customers_per_s * _BUSIEST)

    def _serves(self) -> bool:
        values = self._layers.effective()
        return self.linked and all(
            values.get(path, needed) == needed for path, needed in _NEEDED_TO_SERVE.items()
        )

    def _use_up(self, at: float) -> None:
        """Let the stock show, and call for a visit when something runs low."""
        self._layers.set_own(self._supplies.levels())
        if self._supplies.wanting and not self._visit_planned and self._behaviour.replenish_h:
            self._visit_planned = True
            mean = self._behaviour.duration_s(self._behaviour.replenish_h)
            self._agenda.enter(at + self._chance.expovariate(1 / mean), self._visit)

    def _visit(self, at: float) -> None:
        self._man(switch="supervisor", door="open")
        lasts = self._behaviour.duration_s(self._behaviour.visit_h)
        self._agenda.enter(at + lasts, self._leave)

    def _leave(self, _at: float) -> None:
        self._refill()
        self._man(switch="run", door="closed")

    def _man(self, *, switch: str, door: str) -> None:
        self._layers.set_own({"auxiliaries.operatorSwitch": switch})
        if _SAFE_DOOR in self._layers.own:
            self._layers.set_own({_SAFE_DOOR: door})

    def _refill(self) -> None:
        self._supplies.refill()
        self._visit_planned = False
        self._layers.set_own(self._supplies.levels())

    def _fault(self, at: float) -> None:
        until_next = self._chance.expovariate(self._behaviour.faults_per_s)
        self._agenda.enter(at + until_next, self._fault)
        self._break_down(at, told=False)

    def _break_down(self, at: float, *, told: bool) -> None:
        kinds = possible(self._layers.own)
        [fault] = self._chance.choices(kinds, [kind.share for kind in kinds])
        mean = self._behaviour.duration_s(self._behaviour.repair_h)
        lasts = 1 + self._chance.expovariate(1 / mean)
        layer = _layer(fault.name)
        if layer in self._layers:
            return
        self._layers.put(layer, fault.values)
        if not told:
            self._voice.error(at, fault.component, fault.event_id, fault.action)
        self._agenda.enter(at + lasts, lambda _at: self._layers.remove(layer))

    def _await_turn(self, _at: float) -> None:
        turn = next(self._turns, None)
        if turn is not None:
            self._agenda.enter(turn.begins_at, lambda at: self._play(turn, at))

    def _play(self, turn: Turn, at: float) -> None:
        if not turn.values:  # this time others are befallen
            self._await_turn(at)
            return
        self._played += 1
        layer = f"turn {self._played}"
        try:
            self._layers.put(layer, self._resolve(turn.values))
        except RequestError:
            return  # this terminal has no such part: the turn passes it by
        finally:
            self._await_turn(at)
        self._agenda.enter(turn.ends_at, lambda _at: self._layers.remove(layer))

    def _resolve(self, wanted: Mapping[str, object]) -> Values:
        present = self._layers.effective()
        values: Values = {}
        for path, value in wanted.items():
            values |= resolve(path, value, present)
        return values


def _layer(fault: str) -> str:
    return f"fault {fault}"
