"""The clocks of tickets that get worse and better equal counting every second of each promise."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from api.tickets.clocks import _watch
from api.tickets.promises import Promises
from fleet.rules.severity import Severity
from fleet.sla.calendar import Calendar
from fleet.sla.policy import Clock, Level, Policy
from fleet.sla.reading import Reading, Step
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State
from tests.properties.test_sla import SECOND, SECONDS, hours
from tests.properties.test_sla_history import REASONS, Life, counted, lives

Rates = Sequence[tuple[int, Severity]]
CELLS = ("C1", "D")
WORST_LAST = tuple(reversed(Severity))


@st.composite
def rated(draw: st.DrawFn) -> tuple[Life, Severity, Rates]:
    """A ticket's life with the severity it was raised with, and when it became which other."""
    life = draw(lives())
    if life.ticket.state is State.CANCELLED:  # nothing becomes worse after it
        steps = [(at, step) for at, step in life.steps if step.event is not Event.CANCEL]
        life = replace(life, ticket=replace(life.ticket, state=State.NEW), steps=steps)
    zone = life.policies[0].calendar.zone
    policies = [
        Policy(
            draw(st.sampled_from(Severity)),
            draw(st.sampled_from([None, *CELLS, "X"])),
            life.begin + draw(st.integers(-90_000, 150_000)) * SECOND,
            Calendar(zone, tuple(draw(st.lists(hours, min_size=1, max_size=9)))),
            MappingProxyType({clock: draw(st.integers(1, 3_000)) * 60 * SECOND for clock in Clock}),
            0.75,
            draw(st.frozensets(st.sampled_from(REASONS[:3]))),
            ("operations", "admin"),
        )
        for _ in range(draw(st.integers(1, 6)))
    ]
    times = sorted(draw(st.sets(st.integers(life.created, life.looked), max_size=5)))
    taken = {at for at, _ in life.steps} | {life.created}
    first = draw(st.sampled_from(Severity))
    rates: list[tuple[int, Severity]] = []
    present = first
    for at in times:
        other = draw(st.sampled_from(Severity))
        if other is not present and at not in taken:
            rates.append((at, other))
            present = other
    return replace(life, policies=policies), first, rates


def row(life: Life, first: Severity, rates: Rates) -> Mapping[str, Any]:
    """As the database gives it to the api."""
    told: list[tuple[int, Step, str | None]] = [(at, step, None) for at, step in life.steps]
    before = first
    for at, severity in rates:
        state = next((s.to_state for t, s in reversed(life.steps) if t <= at), State.NEW)
        told.append((at, Step(Event.RATE, state, life.begin + at * SECOND, "worse"), before))
        before = severity
    steps = [
        (step.event, step.to_state, step.at, step.reason, None, was, step.recovered_at)
        for _, step, was in sorted(told, key=lambda one: one[0])
    ]
    history = life.history
    return {
        "created_at": history.created_at,
        "severity": before,
        "state": history.state,
        "resolved_at": history.resolved_at,
        "recovered_at": history.recovered_at,
        "fault_id": life.ticket.fault_id,
        "steps": steps,
        "promised_in": CELLS,
        "at": life.begin + life.looked * SECOND,
    }


def agreed(life: Life, first: Severity, rates: Rates) -> list[tuple[Policy, int]]:
    """What is promised of it now, the mildest first: each severity below which it has not been
    since then, and since when; by the line that was in force at that moment, the nearest."""
    spans = [(life.created, first), *rates]
    found: list[tuple[Policy, int]] = []
    for number, (since, _) in enumerate(spans):
        mildest = min((said for _, said in spans[number:]), key=WORST_LAST.index)
        before = [said for _, said in spans[max(0, number - 1) : number]]
        if before and WORST_LAST.index(before[0]) >= WORST_LAST.index(mildest):
            continue  # it was so severe before
        at = life.begin + since * SECOND
        for cell in (*CELLS, None):
            lines = [
                one
                for one in life.policies
                if (one.severity, one.cell) == (mildest, cell) and one.valid_from <= at
            ]
            if lines:
                found.append((max(lines, key=lambda one: one.valid_from), since))
                break
    return found


def stopped(life: Life, clock: Clock) -> int:
    """The second in which a clock stopped, as far as there is one."""
    ticket, end = life.ticket, 10 * SECONDS

    def second(at: Any) -> int:
        return end if at is None else int((at - life.begin) / SECOND)

    if clock is Clock.RESTORE:
        return second(ticket.resolved_at if ticket.by_hand else ticket.recovered_at)
    met = Event.ACCEPT if clock is Clock.RESPONSE else Event.ARRIVE
    begun = max([life.created, *(at for at, step in life.steps if step.event is Event.REOPEN)])
    times = [at for at, step in life.steps if step.event is met and at >= begun]
    return min(times, default=second(ticket.resolved_at))


def candidates(life: Life, clock: Clock, promised: Sequence[tuple[Policy, int]]) -> list[Any]:
    """By each promise that counts: when the clock is due, what it has used, and its target."""
    stop = stopped(life, clock)
    found = []
    for number, (policy, since) in enumerate(promised):
        if stop <= since and number > 0:
            continue
        begun = life.created if stop <= since else since
        whole = [at for at in counted(replace(life, looked=SECONDS), policy, clock) if at >= begun]
        needed = policy.targets[clock] // SECOND
        due = whole[needed - 1] + 1 if len(whole) >= needed else None
        used = timedelta(seconds=sum(at < life.looked for at in whole))
        found.append((due, used, policy.targets[clock]))
    return found


@settings(deadline=None, max_examples=8)
@given(story=rated())
def test_the_clocks_of_a_ticket_that_gets_worse_and_better_equal_counting_every_second(
    story: tuple[Life, Severity, Rates],
) -> None:
    """Each severity's targets from when it was reached, by the line in force then, of the cells
    under which it was raised; the first that is due counts."""
    life, first, rates = story
    promised = agreed(life, first, rates)
    read: Sequence[Reading] = _watch(row(life, first, rates), Promises(life.policies)).readings
    assert bool(read) == bool(promised)
    for one in read:
        found = candidates(life, one.clock, promised)
        known = [due for due, _, _ in found if due is not None]
        fitting = [(used, target) for due, used, target in found if not known or due == min(known)]
        assert (one.used, one.target) in fitting, one.clock
        assert (one.level is Level.BREACHED) == (one.used > one.target)
        if known and one.stopped_at is None:
            assert one.due_at == life.begin + min(known) * SECOND
