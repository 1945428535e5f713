"""What becomes of messages on their way."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise

from fleet.telemetry import Event
from simulator.behaviour import Behaviour
from simulator.passage import Passage

PERFECT = Behaviour()
SENT = 4000


def event(seq: int) -> Event:
    return Event(datetime(2026, 11, 23, tzinfo=UTC), 1, seq, "transaction")


def carried(behaviour: Behaviour) -> list[tuple[float, int]]:
    line = Passage("ATM-0001", 7, behaviour)
    return [(delay, m.seq) for seq in range(SENT) for delay, m in line.carry(event(seq))]


def test_on_a_perfect_line_everything_passes_as_it_is() -> None:
    """The default world loses nothing: what is missing, somebody lost."""
    assert carried(PERFECT) == [(0.0, seq) for seq in range(SENT)]
    assert not Passage("ATM-0001", 7, PERFECT).breaks_half_open()


def test_each_trouble_comes_as_often_as_its_chance_says() -> None:
    """A tenth of each; the bounds are far beyond chance."""
    lost = carried(replace(PERFECT, lost=0.1))
    assert 300 < SENT - len(lost) < 500
    doubled = Counter(seq for _, seq in carried(replace(PERFECT, doubled=0.1)))
    assert 300 < sum(count == 2 for count in doubled.values()) < 500
    late = [delay for delay, _ in carried(replace(PERFECT, late=0.1, late_s=20)) if delay]
    assert 300 < len(late) < 500
    assert 16 < sum(late) / len(late) < 24
    order = [seq for _, seq in carried(replace(PERFECT, overtaken=0.1))]
    assert sorted(order)[: SENT - 1] == list(range(SENT - 1))
    assert 250 < sum(a > b for a, b in pairwise(order)) < 500


def test_the_same_seed_brings_the_same_trouble() -> None:
    """And another terminal has its own."""
    rough = replace(PERFECT, lost=0.1, late=0.1, doubled=0.1, overtaken=0.1, half_open=0.5)
    assert carried(rough) == carried(rough)
    one, other = (Passage(code, 7, rough) for code in ("ATM-0001", "ATM-0002"))
    assert [one.carry(event(n)) for n in range(50)] != [other.carry(event(n)) for n in range(50)]
    breaks = [one.breaks_half_open() for _ in range(100)]
    assert 20 < sum(breaks) < 80
