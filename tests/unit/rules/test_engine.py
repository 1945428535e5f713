"""The engine, step by step: holds, silence, wills, quorum, service state."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec
import pytest

from fleet.quarantine import Quarantined
from fleet.rules.changes import Change, Cleared, Fired, Suppressed, Transition
from fleet.rules.condition import compile_condition
from fleet.rules.engine import Engine
from fleet.rules.hearing import CATCH_UP, RETURN
from fleet.rules.hold import Hold, Phase
from fleet.rules.rule import Offline, Quorum, Rule, Scope, Silent, Trigger, When
from fleet.rules.severity import Severity
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Presence, Telemetry

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)


def seconds(n: float) -> timedelta:
    return timedelta(seconds=n)


def rule(
    name: str,
    trigger: Trigger,
    *,
    hold: float = 10,
    clear_hold: float = 10,
    impact: ServiceState | None = ServiceState.OUT_OF_SERVICE,
    scope: Scope = "terminal",
) -> Rule:
    return Rule(
        name=name,
        scope=scope,
        kinds=frozenset(),
        trigger=trigger,
        hold=seconds(hold),
        clear_hold=seconds(clear_hold),
        severity=Severity.MAJOR,
        impact=impact,
        component="cardReader",
        skill="card",
        line=2,
        title=name,
        remedy="look",
        parts=(),
    )


def when(text: str, clear: str | None = None, each: str | None = None) -> When:
    clear_when = compile_condition(clear, each) if clear else None
    return When(compile_condition(text, each), clear_when, each)


JAM = rule("jam", when("cardReader.media == 'jammed'"))


class Story:
    """A terminal or a few, told second by second."""

    def __init__(self, *rules: Rule, terminals: int = 1) -> None:
        self.engine = Engine(rules)
        self.engine.watch(T0)
        self.terminals = []
        for n in range(terminals):
            terminal = Terminal(n + 1, f"ATM-{n + 1:04d}", "atm", "C001")
            self.engine.adopt(terminal)
            self.terminals.append(terminal)
        self.seq = 0

    def says(
        self,
        at: float,
        *,
        status: object = None,
        storage: object = None,
        n: int = 0,
        boot: int = 1,
        seq: int | None = None,
        arrives: float | None = None,
        **metrics: float,
    ) -> list[Change]:
        self.seq += 1
        message = Telemetry(
            ts=T0 + seconds(at),
            boot=boot,
            seq=seq or self.seq,
            status=msgspec.Raw(msgspec.json.encode(status or {})),
            storage=msgspec.Raw(msgspec.json.encode(storage or [])),
            metrics=msgspec.Raw(msgspec.json.encode(metrics)),
        )
        arrived = T0 + seconds(at if arrives is None else arrives)
        self.engine.telemetry(self.terminals[n], message, arrived)
        return self.engine.take().changes

    def media(self, at: float, media: str, **more: float) -> list[Change]:
        return self.says(at, status={"cardReader": {"media": media}}, **more)  # type: ignore[arg-type]

    def online(self, at: float, *, n: int = 0, online: bool, boot: int = 1) -> list[Change]:
        message = Presence(T0, boot, online)
        self.engine.presence(self.terminals[n], message, T0 + seconds(at), retained=False)
        return self.engine.take().changes

    def tick(self, at: float) -> list[Change]:
        self.engine.tick(T0 + seconds(at))
        return self.engine.take().changes


def faults(changes: list[Change]) -> list[Fired]:
    return [change for change in changes if isinstance(change, Fired)]


def states(changes: list[Change]) -> list[tuple[ServiceState, float]]:
    found = [change for change in changes if isinstance(change, Transition)]
    return [(change.state, (change.at - T0).total_seconds()) for change in found]


def test_a_fault_fires_when_its_hold_is_over_and_not_before() -> None:
    """A jam at second 3 with a hold of 10 s: nothing at 12.9, a fault dated 13 at the next tick."""
    story = Story(JAM)
    story.media(0, "notPresent")
    story.media(3, "jammed")
    assert faults(story.tick(12.9)) == []
    (fired,) = faults(story.tick(14))
    assert (fired.started_at, fired.fired_at) == (T0 + seconds(3), T0 + seconds(13))
    assert (fired.key.subject, fired.cell, fired.key.rule) == ("ATM-0001", "C001", "jam")


def test_the_service_state_changes_at_once_and_exactly() -> None:
    """The hold delays only the fault: the customer is turned away from the first second."""
    story = Story(JAM)
    assert states(story.media(0, "notPresent")) == [(ServiceState.IN_SERVICE, 0)]
    assert states(story.media(3.25, "jammed")) == [(ServiceState.OUT_OF_SERVICE, 3.25)]
    assert states(story.media(7.5, "notPresent")) == [(ServiceState.IN_SERVICE, 7.5)]


def test_a_short_jam_raises_no_fault() -> None:
    story = Story(JAM)
    story.media(0, "jammed")
    story.media(6, "notPresent")
    assert story.tick(60) == []


def test_a_fault_ends_when_the_condition_ended_once_the_clear_hold_is_over() -> None:
    story = Story(JAM)
    story.media(0, "jammed")
    (fired,) = faults(story.tick(10))
    story.media(20, "notPresent")
    assert story.tick(29) == []
    assert story.tick(31) == [Cleared(fired.id, T0 + seconds(20), T0 + seconds(30))]


def test_a_relapse_within_the_clear_hold_is_the_same_fault() -> None:
    story = Story(JAM)
    story.media(0, "jammed")
    story.tick(10)
    story.media(20, "notPresent")
    story.media(25, "jammed")
    assert faults(story.tick(100)) == []


@pytest.mark.parametrize("stop", [4.0, 9.99, 10.0])
def test_a_message_after_the_hold_fires_it_first(stop: float) -> None:
    """No tick came between: the next message finds the hold over, or not, by its own time."""
    story = Story(JAM)
    story.media(0, "jammed")
    assert len(faults(story.media(stop, "notPresent"))) == (stop >= 10)


def test_a_missing_input_neither_fires_nor_clears() -> None:
    """The reader's status vanishes while a jam is pending, and again while it is firing."""
    story = Story(JAM)
    story.media(0, "jammed")
    story.says(5)
    assert story.tick(60) == []
    story.media(61, "jammed")
    assert len(faults(story.tick(71))) == 1
    story.says(80)
    assert story.tick(200) == []


def test_two_thresholds_leave_the_band_between_them_alone() -> None:
    hot = rule("hot", when("metrics.temperature_c > 60.0", clear="metrics.temperature_c < 50.0"))
    story = Story(hot)
    story.says(0, temperature_c=65)
    assert len(faults(story.tick(10))) == 1
    story.says(20, temperature_c=55)
    assert story.tick(100) == []
    story.says(110, temperature_c=45)
    assert [type(change) for change in story.tick(120)] == [Cleared]


def test_each_unit_of_a_list_has_its_own_fault() -> None:
    """Two cassettes go missing at different times; one returns, the other is taken off the list."""
    missing = rule("missing", when("unit.status == 'missing'", each="storage"), hold=0)
    story = Story(missing)
    first = faults(story.says(0, storage=[{"id": "CST1", "status": "missing"}, {"id": "CST2"}]))
    both = [{"id": "CST1", "status": "missing"}, {"id": "CST2", "status": "missing"}]
    second = faults(story.says(5, storage=both))
    assert [fired.key.item for fired in (*first, *second)] == ["CST1", "CST2"]
    story.says(10, storage=[{"id": "CST1", "status": "ok"}])
    assert {change.id for change in story.tick(30) if isinstance(change, Cleared)} == {
        first[0].id,
        second[0].id,
    }


def test_a_clock_that_is_behind_counts_holds_in_its_own_time() -> None:
    """A terminal an hour behind, or replaying an hour's journal: ten of its seconds are ten."""
    story = Story(JAM)
    story.media(-3600, "notPresent", arrives=0)
    story.media(-3597, "jammed", arrives=3)
    assert faults(story.tick(12)) == []
    (fired,) = faults(story.tick(13))
    assert fired.fired_at == T0 + seconds(-3587)


def test_a_clock_that_is_ahead_is_held_to_the_arrival() -> None:
    story = Story(JAM)
    assert states(story.media(600, "jammed", arrives=1)) == [(ServiceState.OUT_OF_SERVICE, 1)]


def test_a_clock_set_back_loses_no_time() -> None:
    """Set back an hour at second 10: a jam of five seconds is still five seconds of downtime."""
    story = Story(JAM)
    story.media(0, "notPresent")
    assert states(story.media(-3590, "jammed", arrives=10)) == [(ServiceState.OUT_OF_SERVICE, 10)]
    assert states(story.media(-3585, "notPresent", arrives=15)) == [(ServiceState.IN_SERVICE, 15)]


def test_an_older_message_is_late_and_judged_no_more() -> None:
    story = Story(JAM)
    story.media(0, "notPresent", seq=5)
    assert states(story.media(1, "jammed", seq=4)) == []
    assert story.terminals[0].values["cardReader.media"] == "notPresent"


def test_a_lower_boot_is_believed_once_the_higher_is_quiet() -> None:
    """A re-imaged terminal begins again at boot 1; a straggler of an old boot does not."""
    story = Story(JAM)
    story.media(0, "notPresent", boot=17)
    assert states(story.media(60, "jammed", boot=1)) == []
    assert states(story.media(130, "jammed", boot=1)) == [(ServiceState.OUT_OF_SERVICE, 130)]


def test_silence_is_told_from_a_last_will() -> None:
    silent = rule("silent", Silent(seconds(180)), hold=0, impact=ServiceState.OFFLINE)
    offline = rule("offline", Offline(), hold=0, impact=ServiceState.OFFLINE)
    quiet, dead = Story(silent, offline), Story(silent, offline)
    quiet.says(0)
    assert quiet.tick(179) == []
    assert [fired.key.rule for fired in faults(quiet.tick(180.5))] == ["silent"]
    dead.says(0)
    assert [fired.key.rule for fired in faults(dead.online(20, online=False))] == ["offline"]
    assert faults(dead.tick(400)) == []


def test_nobody_is_silent_while_we_are_blind() -> None:
    """The broker is gone for ten minutes; afterwards silence counts from our return."""
    story = Story(rule("silent", Silent(seconds(180)), hold=0))
    story.says(0)
    story.engine.watch(None)
    assert story.tick(600) == []
    story.engine.watch(T0 + seconds(600))
    assert story.tick(779) == []
    assert len(faults(story.tick(781))) == 1


def test_a_terminal_that_spoke_again_can_fall_silent_again() -> None:
    story = Story(rule("silent", Silent(seconds(180)), hold=0, clear_hold=0))
    story.says(0)
    assert len(faults(story.tick(200))) == 1
    assert any(isinstance(change, Cleared) for change in story.says(210))
    assert faults(story.tick(389)) == []
    assert len(faults(story.tick(391))) == 1


def test_a_silence_that_nobody_ticked_came_before_the_message_that_ended_it() -> None:
    """The message says what the last one said, and would else be taken the short way."""
    story = Story(rule("silent", Silent(seconds(180)), hold=0, clear_hold=0))
    story.says(0)
    story.says(10)
    changes = story.says(400)
    (fired,) = faults(changes)
    assert fired.fired_at == T0 + seconds(190)
    assert any(isinstance(change, Cleared) for change in changes)


OFFLINE = rule("offline", Offline(), hold=30, impact=ServiceState.OFFLINE)
OUTAGE = rule("outage", Quorum(("offline",), 3, 0.4), hold=5, clear_hold=60, scope="cell")


def test_a_cell_is_decided_before_its_members() -> None:
    """Four of ten go within three seconds: one fault of the cell, and the four are its own."""
    story = Story(OFFLINE, OUTAGE, terminals=10)
    for n in range(10):
        story.says(0, n=n)
    for n in range(4):
        story.online(10 + n, n=n, online=False)
    (outage,) = faults(story.tick(20))
    assert (outage.key.scope, outage.key.subject, outage.fired_at) == (
        "cell",
        "C001",
        T0 + seconds(18),
    )
    members = faults(story.tick(60))
    assert len(members) == 4
    assert {fired.suppressed_by for fired in members} == {outage.id}


def test_three_of_ten_are_three_faults() -> None:
    """40 % of ten is four: three stay single, and the cell says nothing."""
    story = Story(OFFLINE, OUTAGE, terminals=10)
    for n in range(3):
        story.online(n, n=n, online=False)
    members = faults(story.tick(60))
    assert [fired.suppressed_by for fired in members] == [None] * 3


def test_members_still_bad_speak_for_themselves_after_the_cell() -> None:
    story = Story(OFFLINE, OUTAGE, terminals=10)
    for n in range(4):
        story.online(10, n=n, online=False)
    story.tick(60)
    story.online(100, n=0, online=True)
    changes = [*story.tick(130), *story.tick(161)]
    released = [change for change in changes if isinstance(change, Suppressed)]
    assert len(released) == 3
    assert {change.by for change in released} == {None}


def test_a_member_that_fired_alone_joins_its_cell() -> None:
    """The first went minutes before the rest: its fault is taken under the cell's."""
    story = Story(OFFLINE, OUTAGE, terminals=10)
    story.online(0, n=0, online=False)
    (alone,) = faults(story.tick(31))
    for n in range(1, 4):
        story.online(40, n=n, online=False)
    changes = story.tick(46)
    (outage,) = faults(changes)
    assert Suppressed(alone.id, outage.id, T0 + seconds(45)) in changes


def test_a_malformed_status_changes_nothing() -> None:
    story = Story(JAM)
    story.media(0, "notPresent")
    with pytest.raises(Quarantined, match=r"status\.cardReader\.media"):
        story.says(1, status={"cardReader": {"media": 3}})
    assert story.terminals[0].seq == 1
    assert not story.engine.take().changes


def test_a_will_of_an_earlier_boot_is_stale() -> None:
    story = Story(rule("offline", Offline(), hold=0, impact=ServiceState.OFFLINE))
    story.says(0, boot=2)
    assert story.online(5, online=False, boot=1) == []


@pytest.mark.parametrize(
    ("boot", "written", "comes", "gone"),
    [
        (3, 0, 101, False),  # of the connection before, which began at 0
        (2, 100, 101, False),  # of the boot before
        (3, 100, 101, True),  # of this very connection, which broke at once
        (3, 71, 159, True),  # of this one too: it took long to connect
        (3, 0, 161, True),  # written once for all: it cannot still be under way
    ],
)
def test_a_will_that_crosses_the_next_birth_is_not_believed(
    boot: int, written: float, comes: float, *, gone: bool
) -> None:
    """A broker of several nodes tells the end of one connection after the beginning of the next,
    and the next heartbeat comes later than the hold is over."""
    story = Story(OFFLINE)
    story.says(0, boot=2)
    terminal, birth = story.terminals[0], Presence(T0 + seconds(100), 3, online=True)
    story.engine.presence(terminal, birth, T0 + seconds(100), retained=False)
    will = Presence(T0 + seconds(written), boot, online=False)
    said = story.engine.presence(terminal, will, T0 + seconds(comes), retained=False)
    assert (said.late, terminal.connected) == (not gone, not gone)
    assert len(faults(story.tick(comes + 40))) == gone


def test_wills_of_a_broker_that_ends_are_not_believed_before_terminals_could_come_back() -> None:
    """It is stopped and says all wills; nine of ten terminals are back in time, one is not."""
    story = Story(OFFLINE, OUTAGE, terminals=10)
    for n in range(10):
        story.says(0, n=n)
    story.engine.returned(T0 + seconds(20))
    for n in range(10):
        assert story.online(21, n=n, online=False) == []
    assert story.tick(30) == []
    for n in range(1, 10):
        story.says(50, n=n)
    assert faults(story.tick(79)) == []
    (gone,) = faults(story.tick(80 + 30))
    assert (gone.key.subject, gone.started_at) == ("ATM-0001", T0 + seconds(80))


def test_a_hold_waits_for_what_a_terminal_kept_while_the_broker_was_away() -> None:
    """Jammed at 0, cleared at 5, but heard of that only after the broker is back: no fault."""
    story = Story(JAM)
    story.media(0, "jammed")
    story.engine.returned(T0 + seconds(30))
    assert story.tick(31) == []
    assert faults(story.media(5, "notPresent", arrives=40)) == []
    assert faults(story.tick(200)) == []


def test_a_hold_ends_at_its_own_time_though_it_waited() -> None:
    """The terminal does not come back within the minute: the fault is dated as always."""
    story = Story(JAM)
    story.media(0, "jammed")
    story.engine.returned(T0 + seconds(30))
    assert faults(story.tick(89)) == []
    (fired,) = faults(story.tick(90))
    assert fired.fired_at == T0 + seconds(10)


def test_who_has_yet_to_come_back_is_looked_at_when_it_may_be_silent_and_no_more_often() -> None:
    """All terminals are awaited at once: each second would be a second too short for many."""
    quiet = rule("silent", Silent(seconds(20)), hold=0, impact=ServiceState.OFFLINE)
    story = Story(quiet)
    story.says(0)
    story.engine.returned(T0 + seconds(15))
    assert story.tick(21) == []
    assert not story.engine.is_due(T0 + seconds(40))
    story.says(22)
    assert faults(story.tick(41)) == []
    [fired] = faults(story.tick(42))
    assert fired.fired_at == T0 + seconds(42)


def test_units_that_change_places_take_their_faults_with_them() -> None:
    """A count is read by who reads counts; another order and a unit gone concern every rule."""
    missing = rule("missing", when("unit.status == 'missing'", each="storage"), hold=0)
    few = rule("few", when("unit.count < 10", each="storage"), hold=0)
    story = Story(missing, few)
    one = {"id": "CST1", "status": "missing", "count": 30}
    other = {"id": "CST2", "status": "ok", "count": 30}
    [lost] = faults(story.says(0, storage=[one, other]))
    assert lost.key.item == "CST1"
    assert story.says(1, storage=[one, other | {"count": 20}]) == []
    assert story.says(2, storage=[other | {"count": 20}, one]) == []
    [fired] = faults(story.says(3, storage=[other | {"count": 9}, one]))
    assert fired.key.item == "CST2"
    story.says(4, storage=[other | {"count": 8}])
    cleared = [each for each in story.tick(30) if isinstance(each, Cleared)]
    assert [each.id for each in cleared] == [lost.id]


@pytest.mark.parametrize("since", [0.0, 10.0])
def test_what_was_pending_as_we_went_blind_is_not_fired_by_the_first_word_after(
    since: float,
) -> None:
    """It fell silent, or its will came, and before that had lasted long enough nobody saw: it may
    have been back the next second, and its first word after the outage says that it is here."""
    quiet = rule("silent", Silent(seconds(20)), hold=30, impact=ServiceState.OFFLINE)
    story = Story(OFFLINE if since else quiet)
    story.says(0)
    if since:
        story.online(since, online=False)
    story.tick(25)
    assert [hold.phase for hold in story.terminals[0].holds.values()] == [Phase.PENDING]
    story.engine.watch(None)
    story.engine.watch(T0 + seconds(600))
    story.engine.returned(T0 + seconds(600))
    assert faults(story.says(610)) == []
    assert faults(story.tick(629)) == []
    assert story.terminals[0].holds == {}


@pytest.mark.parametrize("patience", [CATCH_UP, RETURN])
def test_what_waited_for_us_alone_still_fires_what_was_over_when_it_was_said(
    patience: timedelta,
) -> None:
    """Only we were away, for all that is known: what the terminal said meanwhile is all here, so
    its silence was one."""
    story = Story(rule("silent", Silent(seconds(20)), hold=30, clear_hold=0))
    story.says(0)
    story.tick(25)
    story.engine.returned(T0 + seconds(70), patience, alone=True)
    assert faults(story.tick(70.5)) == []
    (fired,) = faults(story.says(60, arrives=71))
    assert fired.fired_at == T0 + seconds(50)


def remembered(story: Story, at: float) -> list[Change]:
    """The broker's memory says that the terminal is connected."""
    message = Presence(T0, 1, online=True)
    story.engine.presence(story.terminals[0], message, T0 + seconds(at), retained=True)
    return story.engine.take().changes


def test_what_the_broker_remembers_ends_no_silence() -> None:
    """Nobody spoke: the fault that it is silent stands, and does not begin anew."""
    story = Story(rule("silent", Silent(seconds(180)), hold=0, impact=ServiceState.OFFLINE))
    story.says(0)
    assert len(faults(story.tick(600))) == 1
    assert remembered(story, 610) == []
    assert story.tick(3600) == []


def test_a_will_of_an_outage_is_believed_in_its_time_whoever_reads_it_back() -> None:
    """The will came while all had time to come back; then the engine was read back."""
    story = Story(OFFLINE)
    story.says(0)
    story.engine.returned(T0 + seconds(30))
    assert story.online(40, online=False) == []
    again = Story(OFFLINE, terminals=0)
    (terminal,) = story.terminals
    again.engine.adopt(terminal)
    again.engine.returned(T0 + seconds(30))
    assert again.tick(89) == []
    (fired,) = faults(again.tick(1000))
    assert fired.started_at == T0 + seconds(90)


@pytest.mark.parametrize("read_back", [False, True])
def test_a_look_away_of_ours_leaves_all_their_minute_to_come_back(*, read_back: bool) -> None:
    """The broker was away and says the wills; while terminals come back the backlog blinds us for a
    moment, which gives whoever waits in the session its five seconds, and takes nobody's minute."""
    story = Story(OFFLINE, terminals=3)
    for n in range(3):
        story.says(0, n=n, seq=1)
    story.engine.returned(T0 + seconds(30))
    for n in (1, 2):
        story.online(31, n=n, online=False)
    story.says(40, n=1, seq=2)
    story.online(41, n=1, online=False)  # it came back and is gone: it has no second minute
    story.engine.returned(T0 + seconds(42), CATCH_UP)
    story.online(50, n=0, online=False)
    if read_back:
        before, story.engine = story.engine, Engine([OFFLINE])
        for again in before.returns:
            story.engine.returned(again.at, again.patience, alone=again.alone)
        for terminal in story.terminals:
            story.engine.adopt(terminal)
    story.tick(80)
    story.says(85, n=2, seq=2)
    story.tick(1000)
    began = [[h.started_at for h in each.holds.values()] for each in story.terminals]
    assert began == [[T0 + seconds(90)], [T0 + seconds(41)], []]


QUIET = rule("silent", Silent(seconds(180)), hold=70, clear_hold=30, impact=ServiceState.OFFLINE)


def test_a_journal_from_before_a_silence_ends_it_when_it_comes() -> None:
    """Its line stood still for minutes: what it wrote meanwhile comes at once, the oldest first.
    Nothing was heard of it until then, and no fault is over before it began."""
    story = Story(QUIET)
    story.says(0)
    assert states(story.tick(180)) == [(ServiceState.OFFLINE, 180)]
    (fired,) = faults(story.tick(250))
    assert states(story.says(30, arrives=400)) == [(ServiceState.IN_SERVICE, 400)]
    changes = [each for at in range(60, 400, 30) for each in story.says(at, arrives=401)]
    changes += story.says(402) + story.tick(440)
    (cleared,) = [each for each in changes if isinstance(each, Cleared)]
    assert (cleared.id, cleared.cleared_at) == (fired.id, T0 + seconds(400))


def test_a_journal_from_before_a_last_will_ends_it_when_it_comes() -> None:
    story = Story(OFFLINE)
    story.says(0)
    story.online(45, online=False)
    assert len(faults(story.tick(75))) == 1
    assert states(story.says(5, arrives=100)) == [(ServiceState.IN_SERVICE, 100)]
    changes = story.says(99, arrives=101) + story.tick(200)
    assert [each.cleared_at for each in changes if isinstance(each, Cleared)] == [T0 + seconds(100)]


def test_what_waited_while_we_were_away_ends_a_silence_when_it_was_said() -> None:
    """It spoke again at 300, and nobody listened until 900: that was our silence, not its own."""
    story = Story(QUIET)
    story.says(0)
    assert len(faults(story.tick(250))) == 1
    story.engine.watch(None)
    story.engine.watch(T0 + seconds(900))
    story.engine.returned(T0 + seconds(900), CATCH_UP)
    assert states(story.says(300, arrives=901)) == [(ServiceState.IN_SERVICE, 300)]
    (cleared,) = story.says(390, arrives=901)
    assert isinstance(cleared, Cleared)
    assert cleared.cleared_at == T0 + seconds(300)


def test_what_was_written_before_a_rule_came_ends_no_fault_before_it_began() -> None:
    """A rule without a hold comes into force while the news that all is well is on its way."""
    story = Story(rule("other", when("metrics.temperature_c > 60.0")))
    story.media(0, "jammed")
    new = Story(
        rule("jam", when("cardReader.media == 'jammed'"), hold=0, clear_hold=0), terminals=0
    )
    new.engine.adopt(story.terminals[0])
    new.engine.retire(T0 + seconds(60), frozenset({"jam"}))
    new.terminals, new.seq = story.terminals, story.seq
    (fired,) = faults(new.engine.take().changes)
    changes = new.media(59, "notPresent", arrives=61) + new.tick(62)
    (cleared,) = [each for each in changes if isinstance(each, Cleared)]
    assert fired.started_at == cleared.cleared_at == T0 + seconds(60)


def test_a_hold_that_was_stored_as_over_before_it_began_ends_when_it_began() -> None:
    """As it was stored until now: who goes on from it must not stop at it."""
    story = Story(JAM)
    story.media(0, "notPresent")
    began, fault = T0 + seconds(20), UUID(int=1)
    hold = Hold(Phase.CLEARING, T0 + seconds(5), began, fault)
    story.terminals[0].holds[JAM.name, ""] = hold
    (cleared,) = [each for each in story.media(60, "notPresent") if isinstance(each, Cleared)]
    assert cleared.cleared_at == began


def test_when_a_member_went_bad_stays_whatever_its_lag_becomes() -> None:
    """Jammed at second 10 and at second 25: never within ten seconds of one another, though the
    first falls ten seconds behind and the cell is asked again."""
    jams = rule("jams", Quorum(("jam",), 2, 0.0, seconds(10)), hold=0, scope="cell")
    story = Story(JAM, jams, terminals=3)
    story.media(10, "jammed", n=0, seq=1)
    story.media(25, "jammed", n=1, seq=1)
    story.media(30, "jammed", n=0, seq=2, arrives=40)
    for in_service in (False, True):
        story.engine.serve(story.terminals[2], T0 + seconds(41), in_service=in_service)
    assert faults(story.tick(60)) == []


def test_who_is_remembered_as_connected_after_its_will_is_silent_since_it_was_heard() -> None:
    """The will spoke for its silence; then the broker remembers a birth message: it is silent at
    the next tick, as for an engine that was started then, and not a minute later."""
    silent = rule("silent", Silent(seconds(60)), impact=ServiceState.OFFLINE)
    story = Story(OFFLINE, silent)
    story.media(0, "notPresent")
    story.online(10, online=False)
    story.tick(65)
    born = Presence(T0, 1, online=True)
    story.engine.presence(story.terminals[0], born, T0 + seconds(80), retained=True)
    story.tick(81)
    hold = story.terminals[0].holds["silent", ""]
    assert hold.started_at == T0 + seconds(60)
    assert story.terminals[0].state is ServiceState.OFFLINE
