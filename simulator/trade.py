"""Customers, what they use up, and the people who come to fill it again."""

from simulator.body import Body
from simulator.calendar import Calendar
from simulator.equipment import CURRENCY
from simulator.supplies import Supplies, Transaction

_SAFE_DOOR = "auxiliaries.safeDoor"
_SWITCH = "auxiliaries.operatorSwitch"


class Trade:
    """One terminal's days; `pace` is how many customers it has, over the mean of all sites."""

    def __init__(self, body: Body, supplies: Supplies, pace: float) -> None:
        self._body = body
        self._supplies = supplies
        self._calendar = Calendar(body.behaviour)
        self._per_s = body.behaviour.customers_per_s * pace * self._calendar.peak
        self._visit_planned = False

    def begin(self, at: float) -> None:
        """Open."""
        if self._per_s:
            self._body.agenda.enter(at + self._until_customer(), self._customer)
        self.use_up(at)

    def refill(self) -> None:
        """Fill everything up."""
        self._supplies.refill()
        self._visit_planned = False
        self._body.layers.set_own(self._supplies.levels())

    def leak(self, at: float, notes: int) -> None:
        """Let notes go that nobody was paid."""
        self._supplies.lose(notes)
        self.use_up(at)

    def use_up(self, at: float) -> None:
        """Let the stock show, and call for a visit when something runs low."""
        body = self._body
        body.layers.set_own(self._supplies.levels())
        if self._supplies.wanting and not self._visit_planned and body.behaviour.replenish_h:
            self._visit_planned = True
            mean = body.behaviour.duration_s(body.behaviour.replenish_h)
            body.agenda.enter(at + body.chance.expovariate(1 / mean), self._visit)

    def _customer(self, at: float) -> None:
        body = self._body
        body.agenda.enter(at + self._until_customer(), self._customer)
        # Arrivals come at the busiest hour's pace; at other hours some of them stay away.
        busyness = self._calendar.busyness(at)
        if body.chance.random() * self._calendar.peak > busyness or not body.serves:
            return
        if body.behaviour.retained and body.chance.random() < body.behaviour.retained:
            done = Transaction("withdrawal", "cardReader", "cardRetained")
        else:
            done = self._supplies.serve(body.chance)
        body.voice.transaction(at, done.component, done.kind, done.outcome, done.amount, CURRENCY)
        self.use_up(at)

    def _until_customer(self) -> float:
        return self._body.chance.expovariate(self._per_s)

    def _visit(self, at: float) -> None:
        self._man(switch="supervisor", door="open")
        behaviour = self._body.behaviour
        self._body.agenda.enter(at + behaviour.duration_s(behaviour.visit_h), self._leave)

    def _leave(self, at: float) -> None:
        body = self._body
        self.refill()
        if body.chance.random() < body.behaviour.forgotten:
            self._man(switch="supervisor", door="closed")
            mean = body.behaviour.duration_s(body.behaviour.forgotten_h)
            body.agenda.enter(at + body.chance.expovariate(1 / mean), self._remember)
        else:
            self._man(switch="run", door="closed")

    def _remember(self, _at: float) -> None:
        self._body.layers.set_own({_SWITCH: "run"})

    def _man(self, *, switch: str, door: str) -> None:
        self._body.layers.set_own({_SWITCH: switch})
        if _SAFE_DOOR in self._body.layers.own:
            self._body.layers.set_own({_SAFE_DOOR: door})
