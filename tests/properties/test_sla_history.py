"""The clocks of whole histories equal counting every second, under promises that change."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.sla.calendar import Calendar
from fleet.sla.escalation import escalations, next_at
from fleet.sla.policy import Clock, Level, Policy, choose
from fleet.sla.reading import History, Step, read
from fleet.tickets.lifecycle import Actor, Event, Move, Role, decide
from fleet.tickets.outcome import Said, after
from fleet.tickets.resolution import ActionCode, CauseCode
from fleet.tickets.ticket import State, Ticket
from tests.properties.test_sla import PLACES, SECOND, SECONDS, hours, running

REASONS = ("parts", "access", "customer", "lunch")
LIVES = (
    *(Event.ASSIGN, Event.ACCEPT, Event.DEPART, Event.ARRIVE, Event.HOLD, Event.RESUME),
    *(Event.HOLD, Event.RESUME, Event.RESOLVE, Event.RECOVER, Event.RELAPSE, Event.REOPEN),
    *(Event.CANCEL, Event.DECLINE, Event.HAND_OVER),
)
ACTORS = (Actor(Role.TECHNICIAN, 7), Actor(Role.OPERATIONS), Actor(Role.ENGINE))


@dataclass(frozen=True)
class Life:
    """What became of a ticket: its promises, its history, and when it is looked at, in seconds."""

    begin: datetime
    policies: Sequence[Policy]
    created: int
    steps: Sequence[tuple[int, Step]]
    ticket: Ticket
    looked: int

    @property
    def history(self) -> History:
        return History(
            self.begin + self.created * SECOND,
            self.ticket.state,
            self.ticket.resolved_at,
            self.ticket.recovered_at,
            [step for _, step in self.steps],
            self.ticket.by_hand,
        )


@st.composite
def lives(draw: st.DrawFn) -> Life:
    """A ticket that people and telemetry move at random, as far as its lifecycle lets them."""
    zone, begin = draw(st.sampled_from(PLACES))
    policies = [
        Policy(
            "major",
            draw(st.sampled_from([None, "C1"])),
            begin + draw(st.integers(-90_000, 150_000)) * SECOND,
            Calendar(zone, tuple(draw(st.lists(hours, min_size=1, max_size=9)))),
            MappingProxyType({clock: draw(st.integers(1, 3_000)) * 60 * SECOND for clock in Clock}),
            0.75,
            draw(st.frozensets(st.sampled_from(REASONS[:3]))),
            ("operations", "admin"),
        )
        for _ in range(draw(st.integers(1, 4)))
    ]
    created = draw(st.integers(0, 50_000))
    ticket = Ticket(1, 1, State.NEW, draw(st.sampled_from([UUID(int=1), None])))
    steps: list[tuple[int, Step]] = []
    now = created
    for event, gap in draw(
        st.lists(st.tuples(st.sampled_from(LIVES), st.integers(1, 40_000)), max_size=14)
    ):
        if event is Event.RECOVER and ticket.recovered_at is not None:
            continue  # telemetry says so once
        at = now + gap
        said = Said(
            reason=draw(st.sampled_from(REASONS)),
            technician_id=7,
            recovered_at=begin + at * SECOND,
            cause=CauseCode.WEAR,
            action=ActionCode.RESET,
        )
        # Of what was raised by hand no telemetry tells.
        actors = ACTORS[:2] if ticket.by_hand else ACTORS
        made = [decide(ticket, event, actor, said.needs_met()) for actor in actors]
        move = next((one for one in made if isinstance(one, Move)), None)
        if move is not None and at < SECONDS:
            ticket = after(ticket, move, said, begin + at * SECOND)
            steps.append((at, Step(event, move.target, begin + at * SECOND, said.reason)))
            now = at
    return Life(begin, policies, created, steps, ticket, draw(st.integers(now, SECONDS)))


def promised(life: Life) -> Policy | None:
    """The promise in force when the ticket was raised: the cell's own, else the general one."""
    created = life.begin + life.created * SECOND
    given = [one for one in life.policies if one.valid_from <= created]
    own = [one for one in given if one.cell == "C1"]
    return max(own or given, key=lambda one: one.valid_from, default=None)


def counted(life: Life, policy: Policy, clock: Clock) -> list[int]:
    """The seconds in which a clock ran before it was looked at, one by one."""
    open_ = running(policy.calendar, life.begin, [])
    from_, until = life.created, life.looked
    if clock is not Clock.RESTORE:
        from_ = max([from_, *(at for at, step in life.steps if step.event is Event.REOPEN)])
        met = Event.ACCEPT if clock is Clock.RESPONSE else Event.ARRIVE
        until = min([until, *(at for at, step in life.steps if step.event is met and at >= from_)])
    held: str | None = None
    well = done = ended = False
    ran: list[int] = []
    pending = list(life.steps)
    for second in range(life.created, until):
        while pending and pending[0][0] <= second:
            _, step = pending.pop(0)
            held = (
                step.reason
                if step.to_state is State.ON_HOLD and step.event is Event.HOLD
                else (held if step.to_state is State.ON_HOLD else None)
            )
            well = _well(step, life.ticket, well=well)
            done = step.to_state in (State.RESOLVED, State.CLOSED)
            ended = step.to_state in (State.CANCELLED, State.MERGED)
        stopped = well if clock is Clock.RESTORE else done
        if (
            second >= from_
            and open_[second]
            and held not in policy.pausing
            and not stopped
            and not ended
        ):
            ran.append(second)
    return ran


def _well(step: Step, ticket: Ticket, *, well: bool) -> bool:
    if step.event in (Event.RELAPSE, Event.REOPEN):
        return False
    return well or step.event is (Event.RESOLVE if ticket.by_hand else Event.RECOVER)


@settings(deadline=None, max_examples=15)
@given(life=lives())
def test_every_clock_of_a_history_equals_counting_every_second(life: Life) -> None:
    """Holds across nights and over a clock that is set, relapses, reopenings, changed promises.

    What is used, whether it was exceeded, and when, are what a person with a stop-watch would say.
    """
    created = life.begin + life.created * SECOND
    policy = choose(life.policies, "major", ("C1", "D"), created)
    assert policy == promised(life)
    if policy is None:
        return
    for one in read(policy, life.history, life.begin + life.looked * SECOND):
        ran = counted(life, policy, one.clock)
        used = timedelta(seconds=len(ran))
        assert one.used == used, one.clock
        assert (one.level is Level.BREACHED) == (used > one.target)
        needed = one.target // SECOND
        if len(ran) >= needed:
            assert one.due_at == life.begin + (ran[needed - 1] + 1) * SECOND
        elif one.stopped_at is None:
            assert one.due_at is None or one.due_at >= life.begin + life.looked * SECOND


@settings(deadline=None, max_examples=30)
@given(life=lives(), share=st.floats(0, 1))
def test_until_the_next_rung_nothing_new_is_to_be_told(life: Life, share: float) -> None:
    """While nothing happens to a ticket, whoever looks again needs not before the instant it says.

    Just before that instant the clocks are on the rungs they were on; just after it, one is higher.
    """
    looked = life.begin + life.looked * SECOND
    policy = choose(life.policies, "major", ("C1", "D"), life.history.created_at)
    if policy is None:
        return
    policy = replace(policy, chain=("operations", "admin", "board"))

    def told(at: datetime) -> set[tuple[str, str]]:
        found = escalations(policy, life.history, read(policy, life.history, at))
        return {(one.reason, one.tells) for one in found}

    there = next_at(policy, life.history, read(policy, life.history, looked))
    if there < looked + timedelta(days=3650):
        between = looked + share * (there - looked) - SECOND / 1000
        assert told(max(looked, between)) == told(looked)
        assert told(there + SECOND / 1000) != told(looked)
    else:
        assert told(looked + timedelta(days=400)) == told(looked)
