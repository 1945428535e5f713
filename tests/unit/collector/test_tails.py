"""What is behind the last number of a boot that is over, by virtual time: when it is asked for."""

from datetime import UTC, datetime, timedelta

from collector.manners import Manners
from collector.repair import Repair, Stored
from collector.tails import Known, Tails
from fleet.ledger import Received
from fleet.telemetry import MAX_SEQ

T0 = datetime(2026, 1, 1, tzinfo=UTC)
KEY = (7, 17)
Asked = tuple[int, int, int]
"""A boot, and the numbers asked for from the first to the last."""


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def opened(last: int, following: int, boot: int = 17) -> Tails:
    return Tails({(7, boot): Known(last, following)}, T0, Manners())


def asked(tails: Tails, seconds: float, *, absent: bool = False) -> list[Asked]:
    asks = tails.due(at(seconds), lambda _: absent, 1000)
    return [(each.command.boot, each.command.first, each.command.last) for each in asks]


def times(tails: Tails, until: int) -> dict[int, list[Asked]]:
    """What is asked for in each second, where anything is."""
    found = {second: asked(tails, second) for second in range(until)}
    return {second: asks for second, asks in found.items() if asks}


def test_what_is_behind_the_last_number_is_asked_for_twice_and_no_more() -> None:
    """Boot 17 was heard up to 40, then boot 18 began; nothing comes of it."""
    tails = opened(40, 18)
    assert times(tails, 200) == {3: [(17, 41, 540)], 18: [(17, 41, 540)]}
    assert (tails.over, len(tails), tails.came) == ({KEY}, 0, 0)


def test_a_boot_is_not_over_before_its_second_command_had_its_time() -> None:
    """A collector that dies before has the next one ask again."""
    tails = opened(40, 18)
    times(tails, 30)
    assert tails.over == set()
    tails.note({KEY: Known(540, 18)}, at(30))
    assert asked(tails, 33) == [(17, 541, 1040)]
    assert tails.over == set()


def test_what_comes_is_followed_until_nothing_more_does() -> None:
    """700 messages were lost with the broker."""
    tails = opened(40, 18)
    assert asked(tails, 3) == [(17, 41, 540)]
    tails.note({KEY: Known(540, 18)}, at(4))
    assert asked(tails, 6.9) == []
    assert asked(tails, 7) == [(17, 541, 1040)]
    tails.note({KEY: Known(740, 18)}, at(8))
    assert asked(tails, 11) == [(17, 741, 1240)]
    assert times(tails, 200) == {26: [(17, 741, 1240)]}
    assert (tails.over, tails.came) == ({KEY}, 700)


def test_boots_between_of_which_nothing_is_stored_are_asked_for_from_their_first() -> None:
    tails = opened(40, 20)
    round_ = [(17, 41, 540), (18, 1, 500), (19, 1, 500)]
    assert times(tails, 200) == {3: round_, 18: round_}
    assert (7, 17) in tails.over


def test_a_boot_between_that_turns_out_to_exist_is_followed_alone() -> None:
    tails = opened(40, 20)
    asked(tails, 3)
    tails.note({KEY: Known(40, 18), (7, 18): Known(500, 20)}, at(4))
    assert times(tails, 200) == {
        7: [(18, 501, 1000)],
        18: [(17, 41, 540), (19, 1, 500)],
        22: [(18, 501, 1000)],
    }
    assert tails.came == 500


def test_of_many_boots_between_the_newest_twenty_are_asked_for() -> None:
    boots = [boot for boot, _, _ in times(opened(40, 100), 10)[3]]
    assert boots == [17, *range(80, 100)]


def test_a_counter_that_was_set_has_no_boots_between() -> None:
    """Its disk is new: it goes on with the seconds since 1970."""
    assert times(opened(40, 1_764_500_000), 10) == {3: [(17, 41, 540)]}


def test_behind_the_greatest_number_there_is_nothing() -> None:
    assert times(opened(MAX_SEQ - 1, 18), 10) == {3: [(17, MAX_SEQ, MAX_SEQ)]}
    tails = opened(MAX_SEQ, 18)
    assert times(tails, 10) == {}
    assert tails.over == {KEY}


def test_a_terminal_that_is_offline_is_waited_for() -> None:
    """It started anew, and the line was cut: three days later it is there."""
    tails = opened(40, 18)
    for minute in range(3 * 24 * 60):
        assert asked(tails, 60 * minute, absent=True) == []
    assert asked(tails, 3 * 24 * 3600) == [(17, 41, 540)]
    assert tails.over == set()


def test_a_terminal_that_left_is_asked_no_more() -> None:
    tails = opened(40, 20)
    tails.forget(7)
    tails.forget(8)
    assert times(tails, 100) == {}
    assert (len(tails), tails.over) == (0, set())


def test_a_terminal_that_says_another_boot_with_every_message_is_asked_for_its_newest() -> None:
    """An hour of that: of each boot no more than twice, and never more than forty at once."""
    tails = Tails({}, T0, Manners())
    commands, over = 0, set()
    for second in range(3600):
        tails.note({(7, second): Known(1, second + 1)}, at(second))
        commands += len(asked(tails, second))
        over |= tails.over
        tails.over.clear()
        assert len(tails) <= 40
    assert commands <= 2 * 3600
    assert over == {(7, boot) for boot in range(3600 - len(tails))}


def test_gaps_go_first() -> None:
    """A region of ten thousand terminals starts at once after a power cut; one of them misses
    something, and is asked for it when it is due."""
    started = {(n, 1): Known(5, 2) for n in range(10_000)}
    repairing = Repair(Stored({}, {}, {}, started), T0)
    counts, gaps = [], []
    for tenth in range(600):
        if tenth == 200:
            repairing.note({(3, 2): Received([(1, 1), (3, 3)])}, at(20))
        asks = repairing.due(at(tenth / 10), lambda _: False)
        gaps += [tenth for each in asks if each.command.boot == 2]
        counts.append(len(asks))
    assert gaps == [230, 380]
    assert sum(counts) <= 50 * 60
    assert sum(counts[100:]) >= 50 * 45


def test_while_gaps_take_every_command_nobody_is_asked_in_case() -> None:
    repairing = Repair(Stored({}, {}, {}, {(20_000, 1): Known(5, 2)}), T0)
    repairing.note({(n, 1): Received([(1, 1), (3, 3)]) for n in range(10_000)}, at(0))
    asks = [ask for second in range(10, 20) for ask in repairing.due(at(second), lambda _: False)]
    assert len(asks) == 500
    assert all(ask.terminal_id < 10_000 for ask in asks)
    repairing.forget(20_000)
    assert len(repairing.tails) == 0
