"""Gaps in `seq`, by virtual time: when they are asked for, how often, and when they are lost."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.manners import Manners
from collector.repair import Repair, Stored
from fleet.ledger import WIDEST, Received, Span, size, without

T0 = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (7, 2)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def heard(*spans: Span) -> dict[tuple[int, int], Received]:
    return {KEY: Received(spans)}


def repair(first_boot: int = 1, **manners: float) -> Repair:
    kept = Manners(**manners)  # type: ignore[arg-type]  # only the plain numbers are given here
    return Repair(Stored({KEY[0]: first_boot}, {}, {}), T0, kept)


def asked(repairing: Repair, seconds: float) -> list[Span]:
    asks = repairing.due(at(seconds), lambda _: False)
    assert all(each.terminal_id == 7 and each.command.boot == 2 for each in asks)
    return [(each.command.first, each.command.last) for each in asks]


def test_a_gap_that_closes_by_itself_is_never_asked_for() -> None:
    """Message 3 overtook message 2 on the way."""
    repairing = repair()
    repairing.note(heard((1, 1), (3, 3)), at(0))
    assert (len(repairing), repairing.messages) == (1, 1)
    assert asked(repairing, 2.9) == []
    repairing.note(heard((1, 3)), at(2.95))
    assert asked(repairing, 60) == []
    assert (len(repairing), repairing.messages, repairing.late) == (0, 0, 1)


def test_a_gap_that_stays_is_asked_for_again_and_again_ever_less_often() -> None:
    """The terminal does not answer: the pauses double up to ten minutes."""
    repairing = repair()
    repairing.note(heard((1, 4), (9, 9)), at(0))
    times = [second for second in range(4000) if asked(repairing, second)]
    pauses = [after - before for before, after in pairwise(times)]
    assert times[0] == 3
    assert pauses == [15, 30, 60, 120, 240, 480, 600, 600, 600, 600, 600]


def test_a_terminal_that_says_another_boot_with_every_message_takes_nobodys_place() -> None:
    """Its number goes on, so each boot seems to miss all before: an hour of that, and it is asked
    about the latest twenty boots. A neighbour's gap is asked for when it is due."""
    repairing = Repair(Stored({7: 0, 8: 0}, {}, {}), T0)
    commands, neighbours = 0, []
    for second in range(3600):
        repairing.note({(7, second + 1): Received([(5000 + second,) * 2])}, at(second))
        if second == 3000:
            repairing.note({(8, 1): Received([(1, 5), (8, 9)])}, at(second))
        asks = repairing.due(at(second), lambda _: False)
        neighbours += [second for each in asks if each.terminal_id == 8]
        commands += sum(each.terminal_id == 7 for each in asks)
    assert neighbours[:2] == [3003, 3018]
    assert commands < 8 * 3600
    assert len(repairing) == 21
    assert sorted(boot for key, boot in repairing.hopeless if key == 7) == list(range(1, 3581))


def test_what_is_asked_for_in_vain_is_given_up_and_not_noticed_anew() -> None:
    repairing = repair()
    repairing.note(heard((1, 4), (9, 9)), at(0))
    for second in range(0, 6000, 5):
        asked(repairing, second)
    assert repairing.hopeless == {KEY: [(5, 8)]}
    assert (len(repairing), repairing.messages) == (0, 0)
    repairing.note(heard((1, 4), (9, 12)), at(6001))
    assert len(repairing) == 0
    repairing.note(heard((1, 4), (9, 12), (14, 14)), at(6002))
    assert asked(repairing, 6010) == [(13, 13)]


def test_an_offline_terminal_is_not_asked_but_its_gap_does_not_wait_for_ever() -> None:
    """A machine is away for 23 hours and still has its journal; another never comes back."""
    repairing = repair()
    repairing.note(heard((1, 4), (9, 9)), at(0))
    for minute in range(23 * 60):
        assert repairing.due(at(60 * minute), lambda _: True) == []
    assert asked(repairing, 23 * 3600) == [(5, 8)]
    repairing.due(at(24 * 3600 + 600), lambda _: True)
    assert repairing.hopeless == {KEY: [(5, 8)]}


def test_an_answer_ends_the_asking_and_counts_as_repaired() -> None:
    repairing = repair()
    repairing.note(heard((1, 4), (9, 9)), at(0))
    assert asked(repairing, 3) == [(5, 8)]
    repairing.note(heard((1, 6), (9, 9)), at(4))
    assert (repairing.messages, repairing.resent) == (2, 2)
    repairing.note(heard((1, 9)), at(5))
    assert (len(repairing), repairing.resent) == (0, 4)
    assert asked(repairing, 100) == []


def test_a_long_gap_is_asked_for_piece_by_piece() -> None:
    """A broker lost hours: no single command makes a terminal send them all at once."""
    repairing = repair(numbers=500)
    repairing.note(heard((1, 1), (1202, 1202)), at(0))
    pieces = [piece for second in range(0, 12, 3) for piece in asked(repairing, second)]
    assert pieces == [(2, 501), (502, 1001), (1002, 1201)]


def test_a_counter_that_was_set_misses_nothing_and_is_not_asked() -> None:
    """Messages 1 and 3, then the greatest number there is: one is missing, and no more."""
    repairing = repair()
    repairing.note(heard((1, 1), (3, 3), (2**53, 2**53)), at(0))
    assert (len(repairing), repairing.messages) == (1, 1)
    assert [asked(repairing, second) for second in (3, 6, 18)] == [[(2, 2)], [], [(2, 2)]]
    repairing.note(heard((1, 3), (2**53, 2**53)), at(20))
    assert (len(repairing), repairing.messages, repairing.resent) == (0, 0, 1)


def test_a_gap_as_wide_as_a_journal_is_missing_to_the_last_message() -> None:
    repairing = repair()
    repairing.note(heard((1, 1), (WIDEST + 2, WIDEST + 2)), at(0))
    assert repairing.messages == WIDEST
    repairing.note(heard((1, 1), (WIDEST + 3, WIDEST + 3)), at(1))
    assert repairing.messages == 0


def test_many_terminals_are_asked_at_a_steady_pace() -> None:
    """A broker lost its queue: ten thousand gaps at once, fifty commands a second."""
    repairing = Repair(Stored({}, {}, {}), T0, Manners())
    repairing.note({(n, 1): Received([(1, 1), (3, 3)]) for n in range(10_000)}, at(0))
    counts = [len(repairing.due(at(10 + n), lambda _: False)) for n in range(10)]
    assert counts == [50] * 10


def test_the_first_boot_counts_from_where_it_was_first_heard() -> None:
    """We were installed yesterday; the terminal has been running for a year."""
    repairing = Repair(Stored({}, {}, {}), T0)
    repairing.note({(7, 2): Received([(5000, 5000)])}, at(0))
    assert len(repairing) == 0
    repairing.note({(7, 3): Received([(3, 3)])}, at(1))
    assert asked_of(repairing, 10) == [(3, 1, 2)]


def asked_of(repairing: Repair, seconds: float) -> list[tuple[int, int, int]]:
    asks = repairing.due(at(seconds), lambda _: False)
    return [(each.command.boot, each.command.first, each.command.last) for each in asks]


def test_a_restart_takes_the_stored_gaps_up_again() -> None:
    repairing = Repair(Stored({7: 1}, {KEY: [(5, 8)]}, {KEY: [(2, 2)]}), T0)
    assert asked(repairing, 3) == [(5, 8)]
    repairing.note(heard((1, 1), (3, 12)), at(4))
    assert len(repairing) == 0


def test_too_many_gaps_are_given_up_from_the_oldest_on_and_counted_once() -> None:
    """It numbers by two. Some of what goes now was asked for in vain already: lost, and counted."""
    repairing = repair()
    ledger = heard(*((n, n) for n in range(2, 41, 2)))[KEY]
    repairing.note({KEY: ledger}, at(0))
    assert repairing.messages == 20
    assert ledger.bound(15) == [(1, 1), (3, 3), (5, 5), (7, 7), (9, 9), (11, 11)]
    repairing.note({KEY: ledger}, at(1), {KEY: [(n, n) for n in range(1, 12, 2)]})
    assert (repairing.messages, repairing.too_many, repairing.late) == (14, 6, 0)
    assert asked(repairing, 4) == [(13, 13), (15, 15), (17, 17), (19, 19)]
    for second in range(0, 9000, 5):
        asked(repairing, second)
    assert size(repairing.hopeless[KEY]) == 14
    repairing.note({KEY: ledger}, at(9001), {KEY: ledger.bound(10)})
    assert (repairing.messages, repairing.too_many) == (0, 6)
    repairing.note({KEY: ledger}, at(9002))
    assert len(repairing) == 0


def test_what_a_first_boot_said_before_it_was_first_heard_is_not_lost() -> None:
    repairing = repair(first_boot=2)
    ledger = heard((10, 10), (12, 12), (14, 14))[KEY]
    repairing.note({KEY: ledger}, at(0), {KEY: ledger.bound(2)})
    assert (repairing.too_many, repairing.messages) == (1, 1)


def test_a_terminal_that_left_is_asked_no_more() -> None:
    repairing = repair()
    repairing.note(heard((1, 4), (9, 9)), at(0))
    repairing.forget(7)
    assert asked(repairing, 10) == []
    assert repairing.messages == 0


numbers = st.sets(st.integers(1, 40))


@given(numbers, numbers)
def test_spans_subtract_as_sets_do(whole: set[int], removed: set[int]) -> None:
    left = without(spans(whole), spans(removed))
    assert {n for first, last in left for n in range(first, last + 1)} == whole - removed
    assert size(left) == len(whole - removed)


def spans(these: set[int]) -> list[Span]:
    ledger = Received()
    for number in sorted(these):
        ledger.add(number)
    return ledger.ranges
