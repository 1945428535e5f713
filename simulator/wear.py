"""How a terminal's components wear out, fail and are repaired; and what the lack of mains does.

Each family of components has a clock of its own: the time to failure is Weibull with the
behaviour's `wear` as its shape, and the first one is what is left of a life that began before the
story did. So as many fail in the first week as in any other.
"""

from functools import partial

from simulator.agenda import Action
from simulator.behaviour import DAY_S
from simulator.body import Body
from simulator.faults import FAULTS, MAINS_LOST, possible
from simulator.properties import DARK, OFFLINE, Values

_DROP_S = 8.0
_FIRST_S = 60.0
_BATTERY = "powerManagement.batteryStatus"
# How far the battery has come when it says so; at the end the terminal goes dark.
_DRAINING: tuple[tuple[float, Values], ...] = (
    (0.3, {_BATTERY: "operational"}),
    (0.6, {_BATTERY: "low"}),
    (0.8, {_BATTERY: "critical"}),
    (1.0, {DARK: True}),
)


class Wear:
    """One terminal's failures."""

    def __init__(self, body: Body) -> None:
        self._body = body
        self._outages = 0

    def begin(self, at: float) -> None:
        """Set the clocks; after a minute as many faults are under way as at any other time."""
        body = self._body
        if body.behaviour.drops_per_day:
            self._await_drop(at)
        for family in dict.fromkeys(fault.family for fault in FAULTS):
            per_s = body.behaviour.faults_per_s(family)
            if not per_s or not possible(body.layers.own, family):
                continue
            self._await(at + self._rest_of_life(family), family)
            if body.chance.random() < per_s * body.behaviour.duration_s(body.behaviour.repair_h):
                begun_at = at + body.chance.uniform(1, _FIRST_S)
                body.agenda.enter(begun_at, partial(self._break_down, family=family, told=True))

    def drain(self, at: float, until: float, layer: str) -> None:
        """Without mains the battery empties: it says so, and then the terminal goes dark."""
        self._outages += 1
        lasts = self._body.behaviour.duration_s(self._body.behaviour.battery_h)
        for share, values in _DRAINING:
            if at + share * lasts < until:
                step = self._step(self._outages, layer, values)
                self._body.agenda.enter(at + share * lasts, step)

    def _step(self, outage: int, layer: str, values: Values) -> Action:
        def step(_at: float) -> None:
            if outage == self._outages and layer in self._body.layers:
                self._body.layers.put(layer, values)

        return step

    def _await_drop(self, at: float) -> None:
        per_s = self._body.behaviour.drops_per_day * self._body.behaviour.rate / DAY_S
        self._body.agenda.enter(at + self._body.chance.expovariate(per_s), self._drop)

    def _drop(self, at: float) -> None:
        """The line breaks for seconds."""
        layers, lasts = self._body.layers, self._body.chance.uniform(1, _DROP_S)
        layers.put("drop", {OFFLINE: True})
        self._body.agenda.enter(at + lasts, lambda _at: layers.remove("drop"))
        self._await_drop(at + lasts)

    def _await(self, at: float, family: str) -> None:
        self._body.agenda.enter(at, lambda at: self._fail(at, family))

    def _fail(self, at: float, family: str) -> None:
        """A component of the family is worn out; the next one's life begins."""
        behaviour = self._body.behaviour
        life = self._body.chance.weibullvariate(behaviour.life_scale_s(family), behaviour.wear)
        self._await(at + life, family)
        self._break_down(at, family, told=False)

    def _rest_of_life(self, family: str) -> float:
        """What is left of a life at any instant: longer lives are met more often."""
        behaviour, chance = self._body.behaviour, self._body.chance
        met: float = chance.gammavariate(1 + 1 / behaviour.wear, 1) ** (1 / behaviour.wear)
        return chance.random() * met * behaviour.life_scale_s(family)

    def _break_down(self, at: float, family: str, *, told: bool) -> None:
        body = self._body
        kinds = possible(body.layers.own, family)
        [fault] = body.chance.choices(kinds, [kind.weight for kind in kinds])
        mean = body.behaviour.duration_s(body.behaviour.repair_h)
        lasts = 1 + body.chance.expovariate(1 / mean)
        layer = layer_of(fault.name)
        if layer in body.layers:
            return
        if not told:
            body.voice.error(at, fault.component, fault.event_id, fault.action)
        body.layers.put(layer, dict(fault.values))
        body.agenda.enter(at + lasts, lambda _at: body.layers.remove(layer))
        if fault is MAINS_LOST:
            self.drain(at, at + lasts, layer)


def layer_of(fault: str) -> str:
    """The name of the layer that a fault lays over the terminal's properties."""
    return f"fault {fault}"
