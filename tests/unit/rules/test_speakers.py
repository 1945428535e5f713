"""Who speaks for whom: causes before consequences, wider cells before narrower ones."""

from datetime import timedelta

import pytest

from fleet.rules.changes import Change, Cleared, Fired, Suppressed
from fleet.rules.engine import Engine
from fleet.rules.rule import Offline, Quorum, Rule
from fleet.rules.terminal import Terminal
from tests.unit.rules.test_engine import OFFLINE, OUTAGE, T0, Story, faults, rule, seconds, when

MAINS = rule(
    "mains",
    when("powerManagement.info.powerInStatus == 'noPower'"),
    hold=30,
    clear_hold=60,
    impact=None,
)


def consequence(name: str, text: str, *, hold: float, caused_by: tuple[str, ...]) -> Rule:
    made = rule(name, when(text), hold=hold, clear_hold=5)
    return Rule(**{f: getattr(made, f) for f in Rule.__slots__} | {"caused_by": caused_by})


READER = consequence("reader", "cardReader.device == 'powerOff'", hold=10, caused_by=("mains",))
CHIP = consequence("chip", "cardReader.chipPower == 'poweredOff'", hold=0, caused_by=("reader",))


def power(story: Story, at: float, *, mains: bool, reader: bool) -> list[Change]:
    return story.says(
        at,
        status={
            "powerManagement": {"info": {"powerInStatus": "powering" if mains else "noPower"}},
            "cardReader": {
                "device": "online" if reader else "powerOff",
                "chipPower": "online" if reader else "poweredOff",
            },
        },
    )


def spoken(changes: list[Change]) -> list[Suppressed]:
    return [change for change in changes if isinstance(change, Suppressed)]


def test_no_mains_no_card_reader_one_fault_speaks() -> None:
    """Mains go, the reader with them: reader and chip wait until mains are decided, then both are
    dated as ever and are its consequences, the chip by way of the reader."""
    story = Story(MAINS, READER, CHIP)
    power(story, 0, mains=False, reader=False)
    assert faults(story.tick(29)) == []
    fired = {change.key.rule: change for change in faults(story.tick(30))}
    assert fired["reader"].fired_at == T0 + seconds(10)
    assert fired["chip"].fired_at == T0
    assert fired["reader"].suppressed_by == fired["mains"].id
    assert fired["chip"].suppressed_by in (fired["mains"].id, fired["reader"].id)


def test_a_short_dip_of_the_mains_excuses_nobody() -> None:
    """Mains are back before their fault: the reader, still dead, speaks for itself, and on time."""
    story = Story(MAINS, READER)
    power(story, 0, mains=False, reader=False)
    power(story, 20, mains=True, reader=False)
    (alone,) = faults(story.tick(21))
    assert (alone.key.rule, alone.fired_at) == ("reader", T0 + seconds(10))
    assert alone.suppressed_by is None


def test_a_consequence_that_was_first_joins_its_cause() -> None:
    story = Story(MAINS, READER)
    power(story, 0, mains=True, reader=False)
    (reader,) = faults(story.tick(11))
    power(story, 20, mains=False, reader=False)
    changes = story.tick(51)
    (mains,) = faults(changes)
    assert spoken(changes) == [Suppressed(reader.id, mains.id, T0 + seconds(50))]


def test_what_is_still_broken_when_its_cause_is_over_speaks_for_itself() -> None:
    story = Story(MAINS, READER)
    power(story, 0, mains=False, reader=False)
    (mains, reader) = faults(story.tick(31))
    power(story, 100, mains=True, reader=False)
    changes = story.tick(161)
    assert [change.id for change in changes if isinstance(change, Cleared)] == [mains.id]
    assert spoken(changes) == [Suppressed(reader.id, None, T0 + seconds(160))]


def test_what_recovers_with_its_cause_alarms_nobody() -> None:
    """Mains and reader come back together; the reader still clears when the mains have: it must
    not be released only to be over a moment later."""
    slow = Rule(**{f: getattr(READER, f) for f in Rule.__slots__} | {"clear_hold": seconds(90)})
    story = Story(MAINS, slow)
    power(story, 0, mains=False, reader=False)
    story.tick(31)
    power(story, 100, mains=True, reader=True)
    changes = [*story.tick(170), *story.tick(200)]
    assert [type(change) for change in changes] == [Cleared, Cleared]


def test_a_relapse_after_the_cause_is_over_is_released() -> None:
    slow = Rule(**{f: getattr(READER, f) for f in Rule.__slots__} | {"clear_hold": seconds(90)})
    story = Story(MAINS, slow)
    power(story, 0, mains=False, reader=False)
    _, reader = faults(story.tick(31))
    power(story, 100, mains=True, reader=True)
    story.tick(170)
    assert spoken(power(story, 180, mains=True, reader=False)) == [
        Suppressed(reader.id, None, T0 + seconds(180))
    ]


QUICK = rule("quick", Offline(), hold=0, impact=None)


def outage(quorum: Quorum, name: str = "outage", hold: float = 5) -> Rule:
    return rule(name, quorum, hold=hold, clear_hold=60, scope="cell")


class Town(Story):
    """Terminals in cells: `C1` and `C2` under `TOWN`, four in each."""

    def __init__(self, *rules: Rule) -> None:
        super().__init__(*rules, terminals=0)
        self.engine = Engine(rules)
        self.engine.watch(T0)
        for n in range(8):
            place = Terminal(n + 1, f"ATM-{n + 1:04d}", "atm", f"C{1 + n // 4}", above=("TOWN",))
            self.engine.adopt(place)
            self.terminals.append(place)


def test_went_within_tells_one_cause_from_three_old_ones() -> None:
    """Two went weeks ago, a third today: no outage. Three within a minute are one, and it lasts."""
    rules = OFFLINE, outage(Quorum(("offline",), 3, 0.3, within=timedelta(minutes=1)))
    apart, together = Story(*rules, terminals=5), Story(*rules, terminals=5)
    came: list[Change] = []
    for n, second in enumerate((0, 500, 1000)):
        came += apart.online(second, n=n, online=False)
    assert [each.key.scope for each in faults(came + apart.tick(2000))] == ["terminal"] * 3
    for n, second in enumerate((1000, 1010, 1020)):
        together.online(second, n=n, online=False)
    assert [fired.key.scope for fired in faults(together.tick(1029))] == ["cell"]
    assert not [c for c in together.tick(9000) if isinstance(c, Cleared)]


def test_who_is_in_maintenance_is_no_member_and_who_is_silent_is() -> None:
    """Three of ten gone are 30 %; with three of the others in maintenance they are 3 of 7."""
    story = Story(OFFLINE, OUTAGE, terminals=10)
    for n in range(3):
        story.online(0, n=n, online=False)
    assert faults(story.tick(6)) == []
    for n in range(7, 10):
        story.engine.serve(story.terminals[n], T0 + seconds(8), in_service=False)
    assert [fired.key.scope for fired in faults(story.tick(14))] == ["cell"]
    story.engine.serve(story.terminals[0], T0 + seconds(20), in_service=False)
    changes = story.tick(91)
    assert [c for c in changes if isinstance(c, Cleared)]


def test_a_town_is_decided_before_its_cells_and_they_before_their_terminals() -> None:
    """All eight go: the town's outage speaks for both cells' and for all the terminals."""
    story = Town(
        OFFLINE,
        outage(Quorum(("offline",), 3, 0.4)),
        outage(Quorum(("offline",), 6, 0.6, level=0), "town", hold=10),
    )
    for n in range(8):
        story.online(0.1 * n, n=n, online=False)
    fired = faults([change for second in range(1, 60) for change in story.tick(second)])
    assert [change.key.subject for change in fired[:3]] == ["TOWN", "C1", "C2"]
    assert {change.suppressed_by for change in fired[1:]} == {fired[0].id}
    assert len(fired) == 11


def test_where_a_town_is_over_its_cell_goes_on_speaking() -> None:
    """C2 comes back, C1 stays away: the town's outage ends, C1's takes its terminals over."""
    story = Town(
        OFFLINE,
        outage(Quorum(("offline",), 3, 0.4)),
        outage(Quorum(("offline",), 6, 0.6, level=0), "town"),
    )
    for n in range(8):
        story.online(0, n=n, online=False)
    fired = faults([change for second in range(1, 60) for change in story.tick(second)])
    cell = next(change for change in fired if change.key.subject == "C1")
    for n in range(4, 8):
        story.online(100, n=n, online=True)
    changes = [change for second in range(101, 200) for change in story.tick(second)]
    last = {change.id: change.by for change in spoken(changes)}
    mine = [f for f in fired if f.cell == "C1" and f.key.scope == "terminal"]
    assert last[cell.id] is None
    assert [last[each.id] for each in mine] == [cell.id] * 4
    theirs = [f for f in fired if f.cell == "C2" and f.key.scope == "terminal"]
    assert not any(each.id in last for each in theirs)


def test_who_moves_to_another_cell_is_spoken_for_there() -> None:
    story = Town(OFFLINE, outage(Quorum(("offline",), 3, 0.4)))
    for n in range(4):
        story.online(0, n=n, online=False)
    fired = faults([*story.tick(6), *story.tick(31)])
    alone = next(change for change in fired if change.key.subject == "ATM-0001")
    story.engine.move(story.terminals[0], "C2", T0 + seconds(40), ("TOWN",))
    assert spoken(story.engine.take().changes) == [Suppressed(alone.id, None, T0 + seconds(40))]


@pytest.mark.parametrize("region", ["north", "south"])
def test_each_region_has_its_own_part_of_a_cell(region: str) -> None:
    """A cell may reach into two regions; their collectors must not write over one another."""
    engine = Engine((OFFLINE, OUTAGE), region)
    for n in range(4):
        engine.adopt(Terminal(n, f"{region}-{n}", "atm", "C1", region=region))
        engine.terminals[n].connected = False
        engine.terminals[n].at = T0
    engine.retire(T0, {"offline"})
    engine.tick(T0 + seconds(6))
    (fired,) = [c for c in engine.take().changes if isinstance(c, Fired)]
    assert (fired.key.subject, fired.key.item) == ("C1", region)
