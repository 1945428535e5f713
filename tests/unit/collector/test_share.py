"""How collectors share the regions: rounds are played until nothing moves any more."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.share import Holding, Share, quotas

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Ring:
    """Collectors that look at the same locks, one after the other, a second a round."""

    def __init__(self, regions: int) -> None:
        self.holders: dict[str, str | None] = {f"r{n:03}": None for n in range(regions)}
        self.collectors: dict[str, Share] = {}
        self.moved = 0
        self.now = T0

    def join(self, *names: str) -> None:
        for name in names:
            self.collectors[name] = Share(name)

    def die(self, name: str) -> None:
        del self.collectors[name]
        self.holders = {r: None if h == name else h for r, h in self.holders.items()}

    def held(self, name: str) -> frozenset[str]:
        return frozenset(region for region, holder in self.holders.items() if holder == name)

    def round(self) -> None:
        for name, share in self.collectors.items():
            holdings = [
                Holding(region, holder, 1 if holder else None)
                for region, holder in self.holders.items()
            ]
            moves = share.decide(holdings, frozenset(self.collectors), self.held(name), self.now)
            assert not moves.evict
            for region in moves.give_up:
                assert self.holders[region] == name
                self.holders[region] = None
            for region in moves.take:
                assert self.holders[region] is None
                self.holders[region] = name
                self.moved += 1
        self.now += timedelta(seconds=1)

    def counts(self) -> list[int]:
        return sorted(len(self.held(name)) for name in self.collectors)


def test_the_first_collector_takes_everything_at_once() -> None:
    ring = Ring(7)
    ring.join("a")
    ring.round()
    assert ring.counts() == [7]


def test_a_collector_that_joins_gets_its_share_and_nothing_else_moves() -> None:
    ring = Ring(10)
    ring.join("a")
    ring.round()
    ring.join("b")
    for _ in range(3):
        ring.round()
    assert ring.counts() == [5, 5]
    assert ring.moved == 15


def test_what_a_dead_one_held_is_shared_by_the_others() -> None:
    ring = Ring(9)
    ring.join("a", "b", "c")
    for _ in range(5):
        ring.round()
    assert ring.counts() == [3, 3, 3]
    ring.die("b")
    for _ in range(2):
        ring.round()
    assert ring.counts() == [4, 5]


@given(st.integers(0, 40), st.lists(st.sampled_from(["join", "die", "wait"]), max_size=20))
def test_whatever_comes_and_goes_the_regions_end_evenly_held(
    regions: int, happenings: list[str]
) -> None:
    """Collectors join and die at any time; some rounds later all is served and even."""
    ring = Ring(regions)
    ring.join("c0")
    for number, what in enumerate(happenings, 1):
        if what == "join":
            ring.join(f"c{number}")
        elif what == "die" and len(ring.collectors) > 1:
            ring.die(next(iter(ring.collectors)))
        ring.round()
    for _ in range(8):
        ring.round()
    counts = ring.counts()
    assert sum(counts) == regions
    assert counts[-1] - counts[0] <= 1
    before = ring.moved
    ring.round()
    assert ring.moved == before


@given(
    st.dictionaries(st.text(min_size=1, max_size=3), st.integers(0, 50), min_size=1),
    st.integers(0, 200),
)
def test_quotas_are_even_and_add_up(held: dict[str, int], regions: int) -> None:
    found = quotas(held, regions)
    assert sum(found.values()) == regions
    assert max(found.values()) - min(found.values()) <= 1


def test_what_nobody_takes_is_taken_beyond_the_quota() -> None:
    """b is there and takes nothing: after some seconds a does."""
    share = Share("a")
    holdings = [Holding("r1", "a", 1), Holding("r2")]
    members = frozenset({"a", "b"})
    mine = frozenset({"r1"})
    assert not share.decide(holdings, members, mine, T0).take
    assert not share.decide(holdings, members, mine, T0 + timedelta(seconds=2)).take
    assert share.decide(holdings, members, mine, T0 + timedelta(seconds=3)).take == ["r2"]


def test_a_collector_told_its_regions_takes_those_and_gives_none_up() -> None:
    share = Share("a", frozenset({"r1", "r2"}))
    holdings = [Holding("r1", "a", 1), Holding("r2"), Holding("r3")]
    moves = share.decide(holdings, frozenset({"b"}), frozenset({"r1"}), T0)
    assert (moves.take, moves.give_up) == (["r2"], ())


def test_whoever_slept_calls_nobody_asleep() -> None:
    """The machine, or the database, was suspended: all look stale, at first."""
    share, members = Share("a"), frozenset({"a", "b"})
    holdings = [Holding("r1", "b", 7, stale=True)]

    def evicted(seconds: float) -> list[int]:
        return list(
            share.decide(holdings, members, frozenset(), T0 + timedelta(seconds=seconds)).evict
        )

    assert evicted(0) == [7]
    assert evicted(0.5) == [7]
    assert evicted(60) == []
    assert evicted(60.5) == [7]


@pytest.mark.parametrize(
    ("holder", "stale", "mine", "evicted"),
    [
        ("b", True, (), [7]),  # another that fell asleep
        ("b", False, (), []),  # another at work
        ("a", False, ("r1",), []),  # our own, at work
        ("a", False, (), [7]),  # our own, of a connection that broke
    ],
)
def test_only_those_are_ended_that_no_longer_live(
    holder: str, stale: bool, mine: tuple[str, ...], evicted: list[int]
) -> None:
    holdings = [Holding("r1", holder, 7, stale)]
    moves = Share("a").decide(holdings, frozenset({"a", "b"}), frozenset(mine), T0)
    assert moves.evict == evicted
