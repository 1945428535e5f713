"""One terminal's story, without a clock."""

import math
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import msgspec
import pytest

from fleet import snapshot, telemetry
from fleet.telemetry import Event, Telemetry
from fleet.topics import Channel
from simulator.behaviour import BUSYNESS, DAY_S, HOUR_S, Behaviour
from simulator.device import Device, Origin, messages
from simulator.errors import RequestError
from simulator.turns import Turn
from simulator.voice import Outgoing

START = 1_795_651_200.0  # 2026-11-26 08:00 in +08:00
QUIET = Behaviour(customers_per_day=0, faults_per_day=0, stock_at_start=0.9)


def device(kind: str = "atm", behaviour: Behaviour = QUIET, boot: int = 1) -> Device:
    return Device(Origin("ATM-0001", kind, 7, boot, START), behaviour)


def media(message: Outgoing) -> object:
    assert isinstance(message, Telemetry)
    return snapshot.read(message.status, message.storage).values["cardReader.media"]


@pytest.mark.parametrize("kind", ["atm", "recycler", "kiosk"])
def test_everything_said_is_of_the_contract_and_known_to_the_vocabulary(kind: str) -> None:
    """A day at sixty times the pace: customers, faults, visits, empty cassettes."""
    busy = Behaviour(faults_per_day=2).at_rate(60)
    said = device(kind, busy).advance(START + DAY_S / 4)
    kinds = Counter(type(message) for message in said)
    assert kinds[Event] > 100
    for message in said:
        channel = Channel.TELEMETRY if isinstance(message, Telemetry) else Channel.EVENT
        assert telemetry.decode(channel, "ATM-0001", telemetry.encode(message)) == message
        if isinstance(message, Telemetry):
            assert snapshot.read(message.status, message.storage).unknown == ()
            assert snapshot.read_metrics(message.metrics).extra == {}


def test_a_heartbeat_comes_every_thirty_seconds_and_nothing_else_when_nothing_happens() -> None:
    """The first snapshot at once, then each terminal in a phase of its own."""
    said = device().advance(START + 300)
    times = [message.ts.timestamp() for message in said]
    assert times[0] == START
    assert {round(b - a, 3) for a, b in pairwise(times[1:])} == {30.0}
    assert len(said) == 11
    other = Device(Origin("ATM-0002", "atm", 7, 1, START), QUIET).advance(START + 60)
    assert other[1].ts != said[1].ts


def test_a_change_is_told_at_once_and_a_repair_too() -> None:
    """Nobody waits for the next heartbeat to hear of a jam."""
    one = device()
    one.advance(START)
    [jam] = messages(one.set_by_hand({"cardReader.media": "jammed"}, START + 0.1))
    assert (jam.ts.timestamp(), media(jam)) == (START + 0.1, "jammed")
    [cure] = messages(one.repair(START + 0.2))
    assert media(cure) == "notPresent"
    assert one.repair(START + 0.3) == []


def test_what_a_hand_set_stays_through_everything_that_happens_by_itself() -> None:
    """A tester's jam must not heal because a simulated visitor came by."""
    one = device(behaviour=Behaviour(faults_per_day=5, stock_at_start=0.01).at_rate(60))
    one.set_by_hand({"cardReader.media": "jammed"}, START)
    said = one.advance(START + 3 * HOUR_S)
    assert {media(message) for message in said if isinstance(message, Telemetry)} == {"jammed"}


def test_a_wrong_request_sets_nothing() -> None:
    """Half of a request would be a third state nobody asked for."""
    one = device()
    before = one.properties()
    with pytest.raises(RequestError, match="did you mean 'jammed'"):
        one.set_by_hand({"printer.paper.upper": "out", "cardReader.media": "jamed"}, START)
    assert one.properties() == before


def test_a_line_that_is_down_says_nothing_about_itself_but_the_journal_goes_on() -> None:
    """The terminal does not know that nobody hears it."""
    one = device()
    one.advance(START)
    [told] = messages(one.set_by_hand({"offline": True}, START + 0.1))
    assert not one.linked
    assert b"offline" not in telemetry.encode(told)
    assert one.advance(START + 62)
    one.repair(START + 63)
    assert one.linked


def test_a_restart_begins_the_next_boot_at_one() -> None:
    """And keeps what no restart cures."""
    one = device()
    one.advance(START + 100)
    one.set_by_hand({"cardReader.media": "jammed"}, START + 100)
    [message] = messages(one.restart(START + 101))
    assert (message.boot, message.seq, media(message)) == (2, 1, "jammed")
    assert one.boot == 2


def test_customers_empty_the_cassettes_and_a_visit_fills_them() -> None:
    """Low, then empty, then the dispenser stops, then someone comes in supervisor mode."""
    thirsty = Behaviour(customers_per_day=2000, faults_per_day=0, replenish_h=20).at_rate(4)
    said = device(behaviour=thirsty).advance(START + 3 * DAY_S)
    story: list[tuple[object, object]] = []
    for message in said:
        if isinstance(message, Telemetry):
            values = snapshot.read(message.status, message.storage).values
            step = (values["cashManagement.dispenser"], values["auxiliaries.operatorSwitch"])
            if not story or story[-1] != step:
                story.append(step)
    first_round = story[: story.index(("stop", "supervisor")) + 3]
    assert first_round[-5:] == [
        ("attention", "run"),
        ("stop", "run"),
        ("stop", "supervisor"),
        ("ok", "run"),
        ("attention", "run"),
    ]


def test_nobody_draws_cash_from_a_terminal_that_cannot_give_it() -> None:
    """Out of order, or without a line to the bank."""
    busy = Behaviour(customers_per_day=5000, faults_per_day=0)
    for broken in ({"cashDispenser.device": "hardwareError"}, {"offline": True}):
        one = device(behaviour=busy)
        one.advance(START + 1)
        one.set_by_hand(broken, START + 1)
        assert not any(isinstance(message, Event) for message in one.advance(START + HOUR_S))


def test_ninety_customers_come_in_a_day_most_of_them_around_noon_and_after_work() -> None:
    """Counted over four hundred days; the bound is six standard deviations."""
    days = 400
    patient = Behaviour(
        faults_per_day=0, heartbeat_s=DAY_S, busy_share=0, payday_factor=1, holiday_factor=1
    )
    said = device("kiosk", patient).advance(START + days * DAY_S)
    hours = Counter(message.ts.hour for message in said if isinstance(message, Event))
    expected = 90 * days
    assert abs(hours.total() - expected) < 6 * math.sqrt(expected)
    assert {hour for hour, _ in hours.most_common(4)} == {11, 12, 17, 18}
    assert math.isclose(sum(BUSYNESS), 24)


def test_faults_come_every_four_weeks_and_the_rate_brings_them_sooner() -> None:
    """Counted over many terminals; the bound is six standard deviations."""
    frail = Behaviour(customers_per_day=0, heartbeat_s=DAY_S, stock_at_start=0.9)
    for behaviour, days in ((frail, 28 * 10), (frail.at_rate(10), 28)):
        count = 0
        for number in range(40):
            one = Device(Origin(f"ATM-{number}", "atm", 7, 1, START), behaviour)
            said = one.advance(START + days * DAY_S)
            count += sum(isinstance(message, Event) for message in said)
        assert abs(count - 400) < 6 * math.sqrt(400)


def test_a_scenarios_turn_sets_and_takes_back() -> None:
    """And passes by a terminal that has no such part."""
    turns = [
        Turn(START + 10, START + 20, {"storage.CST1.status": "missing"}),
        Turn(START + 30, START + 40, befalls=False),
    ]
    one = Device(Origin("ATM-0001", "atm", 7, 1, START), QUIET, iter(turns))
    seen = []
    for second in (5, 15, 25, 35):
        one.advance(START + second)
        seen.append(one.properties()["storage.CST1.status"])
    assert seen == ["ok", "missing", "ok", "ok"]
    kiosk = Device(Origin("KSK-0001", "kiosk", 7, 1, START), QUIET, iter(turns))
    before = kiosk.properties()
    kiosk.advance(START + 15)
    assert kiosk.properties() == before


def test_heartbeats_between_changes_share_their_bytes() -> None:
    """A journal of thousands of messages must stay small."""
    said = device().advance(START + 300)
    snapshots = [message for message in said if isinstance(message, Telemetry)]
    assert len({id(message.status) for message in snapshots}) == 1


def test_a_rate_below_or_at_nothing_is_refused() -> None:
    """A world that stands still tells no story."""
    with pytest.raises(ValueError, match="above 0"):
        replace(QUIET).at_rate(0)


def test_metrics_can_be_set_by_hand() -> None:
    """An overheated cabinet."""
    one = device()
    one.advance(START)
    [message] = messages(one.set_by_hand({"metrics.temperature_c": "70"}, START + 1))
    assert isinstance(message, Telemetry)
    assert msgspec.json.decode(message.metrics)["temperature_c"] == 70
