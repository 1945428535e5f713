"""What customers use up: notes, receipt paper, room in the reject bin."""

import random
from dataclasses import dataclass

import msgspec

from simulator import equipment
from simulator.properties import Values

LOW = 0.2
PAPER_LOW = 0.1
REJECT_HIGH = 0.8

_AMOUNTS = (100, 200, 300, 500, 1000, 1500, 2000, 3000)
_AMOUNT_WEIGHTS = (6, 10, 10, 22, 28, 6, 12, 6)
_DEPOSITS = 0.3
_REJECTED_NOTE = 0.02
_RECEIPT = 0.5


@dataclass(frozen=True, slots=True)
class Transaction:
    """What a customer did; `amount` in whole units of the currency."""

    kind: str
    component: str
    outcome: str
    amount: float | None = None


class Stock(msgspec.Struct, frozen=True, array_like=True):
    """What a terminal of a kind holds, as a state file keeps it; unit by unit, in their order."""

    kind: str
    capacities: list[int]
    notes: list[int]
    rejected: int
    receipts: int


class Supplies:
    """The stock of one terminal of a kind, at least a share `least` of what it takes.

    All four cash units are used evenly.
    """

    def __init__(self, kind: str, chance: random.Random, least: float) -> None:
        self._kind, self._least = kind, least
        units = equipment.cash_units(kind)
        self._capacities = {unit: 50 * chance.randint(40, 50) for unit in units}
        level = chance.uniform(least, 1)
        self._notes = {unit: int(level * room) for unit, room in self._capacities.items()}
        self._rejected = 0
        self._receipts = int(equipment.ROLL_RECEIPTS * chance.uniform(least, 1))

    @property
    def stock(self) -> Stock:
        """What there is now."""
        capacities, notes = list(self._capacities.values()), list(self._notes.values())
        return Stock(self._kind, capacities, notes, self._rejected, self._receipts)

    def restore(self, stock: Stock) -> None:
        """Go on with what was there, unless that is less than a terminal may begin with."""
        if stock.kind != self._kind or len(stock.notes) != len(self._notes) or self._short(stock):
            return
        self._capacities = dict(zip(self._capacities, stock.capacities, strict=True))
        self._notes = dict(zip(self._notes, stock.notes, strict=True))
        self._rejected, self._receipts = stock.rejected, stock.receipts

    def _short(self, stock: Stock) -> bool:
        least = self._least
        levels = zip(stock.notes, stock.capacities, strict=True)
        return (
            stock.receipts < least * equipment.ROLL_RECEIPTS
            or stock.rejected > (1 - least) * equipment.REJECT_CAPACITY
            or any(notes < least * room for notes, room in levels)
        )

    def in_order(self) -> Values:
        """Every property of the terminal with this stock and nothing wrong."""
        return equipment.in_order(self._kind, self._capacities) | self.levels()

    @property
    def wanting(self) -> bool:
        """Whether somebody should come and refill."""
        return (
            self._receipts < PAPER_LOW * equipment.ROLL_RECEIPTS
            or self._rejected >= REJECT_HIGH * equipment.REJECT_CAPACITY
            or any(notes < LOW * self._capacities[unit] for unit, notes in self._notes.items())
        )

    def refill(self) -> None:
        """Fill everything up and empty the reject bin; a recycler is left half full."""
        share = 0.6 if self._kind == "recycler" else 1
        self._notes = {unit: int(room * share) for unit, room in self._capacities.items()}
        self._rejected = 0
        self._receipts = equipment.ROLL_RECEIPTS

    def serve(self, chance: random.Random) -> Transaction:
        """Let one customer do what they came for."""
        if chance.random() < _RECEIPT:
            self._receipts = max(0, self._receipts - 1)
        if self._kind == "kiosk":
            kind = chance.choice(("statement", "payment", "transfer"))
            return Transaction(kind, "common", "success")
        [amount] = chance.choices(_AMOUNTS, _AMOUNT_WEIGHTS)
        if self._kind == "recycler" and chance.random() < _DEPOSITS:
            return self._deposit(amount)
        if chance.random() < _REJECTED_NOTE:
            self._rejected = min(equipment.REJECT_CAPACITY, self._rejected + chance.randint(1, 3))
        return self._withdraw(amount)

    def lose(self, notes: int) -> None:
        """Let notes go that nobody was paid, from the fullest units."""
        for _ in range(min(notes, sum(self._notes.values()))):
            fullest = max(self._notes, key=self._notes.__getitem__)
            self._notes[fullest] -= 1

    def levels(self) -> Values:
        """The properties that follow from the stock."""
        paper = self._receipts / equipment.ROLL_RECEIPTS
        levels: Values = {
            "printer.paper.upper": "out" if paper == 0 else "low" if paper < PAPER_LOW else "full"
        }
        if not self._capacities:
            return levels
        stocked = {unit: _stocked(n / self._capacities[unit]) for unit, n in self._notes.items()}
        for unit, notes in self._notes.items():
            levels |= _level(unit, notes, stocked[unit])
        full = self._rejected >= equipment.REJECT_CAPACITY
        high = self._rejected >= equipment.REJECT_CAPACITY * REJECT_HIGH
        bin_status = "full" if full else "high" if high else "ok"
        levels |= _level(equipment.REJECT, self._rejected, bin_status)
        empty = not any(self._notes.values())
        low = set(stocked.values()) != {"ok"}
        state = "stop" if empty or full else "attention" if low or high else "ok"
        levels["cashManagement.dispenser"] = state
        return levels

    def _withdraw(self, amount: int) -> Transaction:
        wanted = amount // equipment.DENOMINATION
        full = self._rejected >= equipment.REJECT_CAPACITY
        if full or sum(self._notes.values()) < wanted:
            return Transaction("withdrawal", "cashDispenser", "notEnoughCash", amount)
        for _ in range(wanted):
            fullest = max(self._notes, key=self._notes.__getitem__)
            self._notes[fullest] -= 1
        return Transaction("withdrawal", "cashDispenser", "success", amount)

    def _deposit(self, amount: int) -> Transaction:
        notes = amount // equipment.DENOMINATION
        room = {unit: self._capacities[unit] - count for unit, count in self._notes.items()}
        if sum(room.values()) < notes:
            return Transaction("deposit", "cashAcceptor", "unitsFull", amount)
        for _ in range(notes):
            emptiest = max(room, key=room.__getitem__)
            room[emptiest] -= 1
            self._notes[emptiest] += 1
        return Transaction("deposit", "cashAcceptor", "success", amount)


def _stocked(share: float) -> str:
    if share <= 0:
        return "empty"
    return "low" if share < LOW else "ok"


def _level(unit: str, count: int, status: str) -> Values:
    return {
        f"storage.{unit}.replenishmentStatus": status,
        f"storage.{unit}.count": count,
    }
