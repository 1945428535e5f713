"""Quorums under any story: the model's outages, whatever the order, and decided before members."""

import random
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rules.changes import Change, Cleared, Fired
from fleet.rules.engine import Engine
from fleet.rules.rule import Quorum
from fleet.rules.terminal import Terminal
from fleet.telemetry import Presence
from tests.unit.rules.test_engine import OFFLINE, T0, rule, seconds

MEMBERS = 8
HOLD, CLEAR_HOLD = 5, 60
OUTAGE = rule(
    "outage", Quorum(("offline",), 3, 0.4), hold=HOLD, clear_hold=CLEAR_HOLD, scope="cell"
)
END = 2000


@dataclass(frozen=True)
class Absence:
    """A terminal goes, and comes back after a while, if it does."""

    member: int
    at: int
    lasts: int | None


@st.composite
def absences(draw: st.DrawFn) -> list[Absence]:
    """Each member goes once; several may go in one second, and in half seconds they come back."""
    found = []
    for member in draw(st.lists(st.integers(0, MEMBERS - 1), unique=True)):
        lasts = draw(st.none() | st.integers(1, 200))
        found.append(Absence(member, draw(st.integers(0, 40)), lasts))
    return found


def play(story: list[Absence], seed: int) -> list[tuple[float, Change]]:
    """All changes, each with the instant of ours in which it came; ticks every half second."""
    engine = Engine([OFFLINE, OUTAGE])
    engine.watch(T0)
    for n in range(MEMBERS):
        engine.adopt(Terminal(n, f"ATM-{n}", "atm", "C1"))
    said = [(float(each.at), each.member, False) for each in story]
    said += [
        (each.at + each.lasts + 0.25 + each.member / 100, each.member, True)
        for each in story
        if each.lasts is not None
    ]
    random.Random(seed).shuffle(said)
    said.sort(key=lambda each: each[0])
    came: list[tuple[float, Change]] = []
    for half in range(2 * END):
        while said and said[0][0] <= half / 2:
            at, member, online = said.pop(0)
            presence = Presence(T0, 1, online)
            engine.presence(engine.terminals[member], presence, T0 + seconds(at), retained=False)
            came += [(at, change) for change in engine.take().changes]
        engine.tick(T0 + seconds(half / 2))
        came += [(half / 2, change) for change in engine.take().changes]
    return came


def outages(came: list[tuple[float, Change]]) -> list[tuple[float, float, float | None]]:
    over = {c.id: c for _, c in came if isinstance(c, Cleared)}
    return [
        (
            (c.started_at - T0).total_seconds(),
            (c.fired_at - T0).total_seconds(),
            (over[c.id].cleared_at - T0).total_seconds() if c.id in over else None,
        )
        for _, c in came
        if isinstance(c, Fired) and c.key.scope == "cell"
    ]


def model(story: list[Absence]) -> list[tuple[float, float, float | None]]:
    """Count who is away at each instant when that changes; four of eight are enough."""
    edges = {float(each.at) for each in story}
    back = {
        each: each.at + each.lasts + 0.25 + each.member / 100
        for each in story
        if each.lasts is not None
    }
    found: list[tuple[float, float, float | None]] = []
    since: float | None = None
    gone: float | None = None
    for at in [*sorted(edges | set(back.values())), float(END)]:
        is_new = since is not None and (not found or found[-1][0] != since)
        if since is not None and is_new and gone is None and at - since >= HOLD:
            found.append((since, since + HOLD, None))
        if gone is not None and at - gone >= CLEAR_HOLD:
            found[-1] = (*found[-1][:2], gone)
            since = gone = None
        away = sum(each.at <= at < back.get(each, END + 1) for each in story)
        enough = away >= max(3, -(-MEMBERS * 4 // 10))
        fired = bool(found) and since is not None and found[-1][0] == since
        if enough:
            since, gone = (at if since is None else since), None
        elif fired:
            gone = at if gone is None else gone
        else:
            since = None
    return found


@settings(max_examples=40, deadline=None)
@given(absences(), st.integers(0, 1000))
def test_outages_are_those_of_the_model_in_whatever_order_members_go(
    story: list[Absence], seed: int
) -> None:
    assert outages(play(story, seed)) == model(story)


@settings(max_examples=40, deadline=None)
@given(absences(), st.integers(0, 1000))
def test_no_member_speaks_before_its_cell_is_decided(story: list[Absence], seed: int) -> None:
    """While an outage is pending no member's fault fires; from when it fires none speaks alone."""
    came = play(story, seed)
    for began, fired, cleared in outages(came):
        alone = [
            at
            for at, change in came
            if isinstance(change, Fired)
            and change.key.scope == "terminal"
            and change.suppressed_by is None
            and began <= at < (END if cleared is None else cleared + CLEAR_HOLD)
        ]
        assert alone == []
        assert fired - began == HOLD


def test_the_model_knows_an_outage() -> None:
    """Four go within three seconds and stay away for a minute and a half."""
    story = [Absence(n, n, 90) for n in range(4)]
    assert [each[:2] for each in model(story)] == [(3, 8)]
    assert timedelta(seconds=HOLD) == OUTAGE.hold
