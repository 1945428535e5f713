"""Thirty days of a fleet, counted: what comes out is what was configured.

Bounds are four standard deviations of the count, or of the mean, so that one fleet in ten thousand
would be refused; the seed is fixed.
"""

import hashlib
import math
from collections import Counter, defaultdict
from datetime import datetime

import pytest

from fleet import telemetry
from fleet.telemetry import Event
from simulator.behaviour import DAY_S, HOUR_S, SHARES, Behaviour
from simulator.calendar import Calendar
from simulator.device import Device, Origin
from simulator.faults import FAULTS
from simulator.truth import Label, Witness
from simulator.voice import ZONE

START = datetime(2026, 11, 1, tzinfo=ZONE).timestamp()
DAYS = 30
SIGMAS = 4
FAMILY = {fault.name: fault.family for fault in FAULTS}


def within(count: float, expected: float) -> bool:
    return abs(count - expected) < SIGMAS * math.sqrt(expected)


@pytest.fixture(scope="module")
def customers() -> dict[str, list[datetime]]:
    """Thirty ATMs, their customers' instants; nothing breaks and nothing runs out."""
    calm = Behaviour(faults_per_day=0, heartbeat_s=DAY_S, stock_at_start=1, replenish_h=0.001)
    found: dict[str, list[datetime]] = {}
    for number in range(30):
        code = f"ATM-{number:04d}"
        said = Device(Origin(code, "atm", 5, 1, START), calm).advance(START + DAYS * DAY_S)
        found[code] = [message.ts for message in said if isinstance(message, Event)]
    return found


def expected_customers(day: int) -> float:
    """By the configured week, paydays and the mean, of one mean site on a day of November."""
    calendar = Calendar(Behaviour())
    at = datetime(2026, 11, day, tzinfo=ZONE)
    return 90 / 24 * sum(calendar.busyness(at.replace(hour=hour).timestamp()) for hour in range(24))


def test_customers_come_as_often_as_configured_by_day_and_hour(
    customers: dict[str, list[datetime]],
) -> None:
    """Each day has those of its weekday, paydays more; the peaks are where they should be."""
    behaviour = Behaviour()
    busy = [code for code, times in customers.items() if len(times) > 300 * DAYS]
    pace = sum(behaviour.pace(busy=code in busy) for code in customers)
    days = Counter(at.day for times in customers.values() for at in times)
    for day in range(1, DAYS + 1):
        # A visitor shuts the terminal for minutes, which is within the bound.
        assert within(days[day], expected_customers(day) * pace), day
    hours = Counter(at.hour for times in customers.values() for at in times)
    assert {hour for hour, _ in hours.most_common(4)} == {11, 12, 17, 18}
    assert days[25] > 1.3 * days[26]


def test_a_busy_site_has_five_hundred_customers_a_day_and_the_mean_of_all_is_ninety() -> None:
    """Ordinary sites have less than the mean, by as much as the busy ones have more."""
    behaviour = Behaviour()
    assert behaviour.pace(busy=True) * 90 == pytest.approx(500)
    share = behaviour.busy_share
    mean = share * behaviour.pace(busy=True) + (1 - share) * behaviour.pace(busy=False)
    assert mean == pytest.approx(1)
    sites = [device_pace(number) for number in range(1500)]
    assert within(sum(sites), share * 1500)


def device_pace(number: int) -> bool:
    """Whether a site is busy, seen by its customers within three busy hours."""
    calm = Behaviour(faults_per_day=0, heartbeat_s=DAY_S, stock_at_start=1, payday_factor=1, rate=2)
    start = START + DAY_S + 11 * HOUR_S  # a Monday
    one = Device(Origin(f"KSK-{number:04d}", "kiosk", 5, 1, start), calm)
    seen = sum(isinstance(message, Event) for message in one.advance(start + 2 * HOUR_S))
    return seen > 90  # 37 are expected of an ordinary site, 240 of a busy one


@pytest.fixture(scope="module")
def labels() -> dict[str, list[Label]]:
    """Thirty terminals of each kind, twenty times as frail, repaired in a fifth of an hour."""
    frail = Behaviour(
        customers_per_day=0,
        heartbeat_s=DAY_S,
        stock_at_start=1,
        faults_per_day=20 / 28,
        repair_h=0.2,
        battery_h=0.05,
    )
    found: dict[str, list[Label]] = defaultdict(list)
    for kind in ("atm", "recycler", "kiosk"):
        for number in range(30):
            witness = Witness(f"{kind}-{number}", kind, START)
            device = Device(Origin(f"{kind}-{number}", kind, 9, 1, START), frail, None, witness)
            device.live(START + DAYS * DAY_S)
            found[kind] += [label for label in witness.labels if label.begins_at > START]
    return found


@pytest.mark.parametrize("family", SHARES)
def test_each_family_of_components_fails_as_often_as_configured(
    family: str, labels: dict[str, list[Label]]
) -> None:
    """A kiosk has no dispenser to break; all else breaks everywhere."""
    for kind, found in labels.items():
        begun = {(each.terminal, each.begins_at) for each in found if FAMILY[each.cause] == family}
        seen = len({each for each in begun if not battery(each, found)})
        has_none = kind == "kiosk" and family in ("cash", "dispenser")
        expected = 0 if has_none else SHARES[family] / 100 * 20 / 28 * DAYS * 30
        assert within(seen, expected) if expected else seen == 0, (kind, seen, expected)


def battery(begun: tuple[str, float], found: list[Label]) -> bool:
    """Whether a trouble is not the failure itself but what became of it."""
    later = ("battery-critical", "offline")
    return any(
        (each.terminal, each.begins_at) == begun
        and each.cause == "mains-lost"
        and each.name in later
        for each in found
    )


def test_repairs_take_as_long_as_configured(labels: dict[str, list[Label]]) -> None:
    """In the mean; the time is exponential, so its deviation is its mean."""
    lasted = [
        each.ends_at - each.begins_at
        for found in labels.values()
        for each in found
        if each.ends_at is not None and each.cause != "mains-lost"
    ]
    mean, expected = sum(lasted) / len(lasted), 1 + 0.2 * HOUR_S
    assert abs(mean - expected) < SIGMAS * expected / math.sqrt(len(lasted))


def test_without_mains_the_battery_lasts_its_time_and_then_the_terminal_is_dark(
    labels: dict[str, list[Label]],
) -> None:
    """Three minutes; who has power back before then never goes dark."""
    of_atm = labels["atm"] + labels["recycler"] + labels["kiosk"]
    outages = {
        (each.terminal, each.begins_at): each.ends_at - each.begins_at
        for each in of_atm
        if each.name == "mains-lost" and each.ends_at is not None
    }
    dark = {
        (each.terminal, round(each.begins_at - 0.05 * HOUR_S, 3))
        for each in of_atm
        if each.name == "offline" and each.cause == "mains-lost"
    }
    long = {(code, round(at, 3)) for (code, at), s in outages.items() if s > 0.05 * HOUR_S}
    assert dark == long
    assert 0 < len(dark) < len(outages)


def test_a_day_is_the_same_to_the_byte_on_whichever_machine() -> None:
    """All chance comes from the seed. A changed model changes the digest; nothing else may."""
    digest = hashlib.sha256()
    for kind, vendor in (("atm", "vendor-a"), ("recycler", "vendor-c"), ("kiosk", "vendor-b")):
        frail = Behaviour(faults_per_day=4, drops_per_day=6)
        device = Device(Origin(f"{kind}-1", kind, 3, 1, START, vendor), frail)
        for message in device.advance(START + DAY_S):
            digest.update(telemetry.encode(message))
    assert digest.hexdigest()[:16] == "be497a4ab5d1ba2f"
