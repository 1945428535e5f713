"""Messages of different terminals in the wrong order, written and read back: a quorum stands."""

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from collector.desk import Desk
from collector.intake import Arrival
from collector.store import Connection
from fleet.rules.catalogue import load
from tests.integration.collector.test_desk import arrival, at, connection, rows

__all__ = ["connection"]

RULES = """\
version: "1"
rules:
  - name: jam
    title: Card stuck
    when: cardReader.media == 'jammed'
    for: 2s
    clear_for: 3s
    severity: major
    impact: out_of_service
    component: cardReader
    skill: card
    line: 2
    remedy: Look.
  - name: jams
    title: Cards stuck everywhere
    scope: cell
    members: [jam]
    at_least: 2
    share: 0.1
    for: 5s
    clear_for: 10s
    severity: critical
    component: cardReader
    skill: card
    line: 2
    remedy: Call the vendor.
"""
JAMMED, FREE = {"cardReader": {"media": "jammed"}}, {"cardReader": {"media": "notPresent"}}


def late(number: int, seq: int, said: float, came: float, media: Mapping[str, object]) -> Arrival:
    return msgspec.structs.replace(arrival(number, seq, said, status=media), at=at(came))


STORY = [
    late(0, 1, 1, 1.25, JAMMED),
    late(1, 1, 1, 1.5, JAMMED),
    late(1, 2, 3.5, 3.75, FREE),  # arrives before the jam of another that was earlier
    late(2, 1, 3, 7.5, JAMMED),
    late(3, 1, 4.5, 8.5, JAMMED),
    late(3, 2, 7, 8.75, FREE),
    late(2, 2, 20, 24, FREE),
    late(0, 2, 22, 24.5, FREE),
]


@pytest.mark.parametrize("dies", [False, True])
async def test_a_quorum_that_messages_overtook_stands_whatever_dies_meanwhile(
    connection: Connection, tmp_path: Path, *, dies: bool
) -> None:
    """Two of three are always jammed by what they wrote, though not by what has arrived: one
    outage, and who was jammed is told after it. The collector is killed after every commit."""
    (tmp_path / "rules.yaml").write_text(RULES)
    desk = Desk(connection, "region-01", load(tmp_path), lateness=timedelta(seconds=5))
    await desk.restore(at(0))
    desk.watch(at(0))
    told: dict[str, float] = {}
    coming = list(STORY)
    for half in range(90):
        now = at(half / 2)
        arrivals = [each for each in coming if each.at <= now]
        coming = coming[len(arrivals) :]
        await desk.commit(arrivals, now)
        if dies:
            await desk.restore(now)
            desk.watch(at(0))
        for (subject,) in await rows(connection, "SELECT subject FROM fault"):
            told.setdefault(subject, half / 2)
    outage = "SELECT id, started_at, fired_at, cleared_at FROM fault WHERE rule = 'jams'"
    [(key, *dates)] = await rows(connection, outage)
    assert dates == [at(1), at(6), at(20)]
    jams = """
        SELECT right(subject, 1), started_at, fired_at, cleared_at, suppressed_by
        FROM fault WHERE rule = 'jam' ORDER BY started_at, subject"""
    assert await rows(connection, jams) == [
        ("1", at(1), at(3), at(22), key),
        ("2", at(1), at(3), at(3.5), key),
        ("3", at(3), at(5), at(20), key),
        ("4", at(4.5), at(6.5), at(7), key),
    ]
    assert told.pop("C001") == 16.0 == min(told.values())
    assert await rows(connection, "SELECT * FROM untold_step") == []
    state = """
        SELECT lower(period), state FROM service_interval
        WHERE terminal_id = 1 AND state <> 'in_service'"""
    assert await rows(connection, state) == [(at(1), "out_of_service")]


TRIAL = (
    RULES.replace("severity: major", "severity: minor\n    escalate: [{to: major, after: 2s}]")
    .replace("name: jam\n", "name: jam\n    shadow: true\n")
    .replace("name: jams\n", "name: jams\n    shadow: true\n")
)


async def test_a_fault_on_trial_that_waits_to_be_told_stays_on_trial_over_a_restart(
    connection: Connection, tmp_path: Path
) -> None:
    """Nothing is stored of the fault before it is told: what it is stands with what waits."""
    (tmp_path / "rules.yaml").write_text(TRIAL)
    desk = Desk(connection, "region-01", load(tmp_path), lateness=timedelta(seconds=5))
    await desk.restore(at(0))
    desk.watch(at(0))
    await desk.commit([late(0, 1, 1, 1, JAMMED)], at(1))
    for second in (9, 10, 12, 13, 15, 30):
        await desk.commit([], at(second))
        await desk.restore(at(second))
        desk.watch(at(0))
    await desk.commit([late(0, 2, 40, 40, FREE)], at(40))
    await desk.commit([], at(80))
    found = "SELECT rule, started_at, fired_at, cleared_at, severity FROM shadow_fault"
    assert await rows(connection, found) == [("jam", at(1), at(3), at(40), "major")]
    assert await rows(connection, "SELECT * FROM fault") == []
    assert await rows(connection, "SELECT * FROM fault_change") == []


async def test_a_quorum_that_waits_for_whom_we_hear_again_waits_over_a_restart_too(
    connection: Connection, tmp_path: Path
) -> None:
    """The broker was away as two were jammed: their cell is not decided by time alone before they
    are heard or had their minute, though all is read back meanwhile."""
    (tmp_path / "rules.yaml").write_text(RULES)
    desk = Desk(connection, "region-01", load(tmp_path), lateness=timedelta(seconds=5))
    await desk.restore(at(0))
    desk.watch(at(0))
    await desk.commit([late(n, 1, 1, 1, JAMMED) for n in (0, 1)], at(1))
    await desk.commit([], at(13))  # the cell's hold began: it would be over at 6
    desk.returned(at(14), timedelta(minutes=1))
    outage = "SELECT started_at, fired_at FROM fault WHERE rule = 'jams'"
    for second in (20, 40, 70):
        await desk.restore(at(second))
        await desk.commit([], at(second))
        assert await rows(connection, outage) == []
    await desk.commit([], at(90))
    assert await rows(connection, outage) == [(at(1), at(6))]
