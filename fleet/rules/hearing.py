"""Whether a terminal is heard at all: offline by its last will, silent, or cut off with us.

Silence is judged on arrival, and only while we hear everything: while blind, nobody is silent.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from types import MappingProxyType
from typing import NamedTuple

from fleet.rules.cells import Cell
from fleet.rules.faults import Faults
from fleet.rules.hold import Phase, Signal
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Turn

RETURN = timedelta(minutes=1)
"""How long terminals have to come back after the broker did; twice the longest back-off."""
CATCH_UP = timedelta(seconds=5)
"""How long the broker has to send us what waited while only we were away."""

HEARD_OUT = timedelta(minutes=10)
"""How long we must have heard without a break before somebody counts as never heard."""

_ONCE = "once"
"""A reminder of a silence that is not to be put back."""
_NEVER = datetime.min.replace(tzinfo=UTC)
_NONE: Mapping[str, timedelta] = MappingProxyType({})


class Return(NamedTuple):
    """We hear again since `at`; whoever was cut off with us has `patience` to be heard.

    `alone`: it is not known that anybody was, only that it may be.
    """

    at: datetime
    patience: timedelta
    alone: bool = False

    @property
    def until(self) -> datetime:
        """When that is over."""
        return self.at + self.patience

    @property
    def of_broker(self) -> bool:
        """Whether the broker was away, or may have been: then terminals were cut off too, not we
        alone."""
        return self.patience >= RETURN


class Hearing:
    """Signs of life, what their absence means, and when it means nothing."""

    def __init__(self, faults: Faults, settle: Callable[[Terminal, datetime], None]) -> None:
        self._faults = faults
        self._settle = settle
        self.watching_since: datetime | None = None
        self._returns: dict[bool, Return] = {}
        self._unbelieved: list[Terminal] = []

    def hear(self, terminal: Terminal, arrived_at: datetime, since: datetime | None = None) -> None:
        """It gave a sign of life: it is not silent from now on, or `since`: what it was sent with
        may have been written long before."""
        first = terminal.heard_at is None
        terminal.heard_at = max(arrived_at, terminal.heard_at or arrived_at)
        self._faults.record.terminals.add(terminal.id)
        if first:
            self.await_silence(terminal)
        if terminal.holds:
            at = terminal.clock(arrived_at) if since is None else since
            self.judge_connection(terminal, at)
            if terminal.at is not None and at > terminal.at:
                self._settle(terminal, at)

    def judge_connection(
        self, terminal: Terminal, at: datetime, *, remembered: bool = False
    ) -> None:
        """What was offline or silent is so no more, or the will has just said that it is.

        That the broker has `remembered` a terminal as connected ends no silence.
        """
        rules = terminal.plan
        gone = terminal.connected is False
        for rule in rules.offline:
            self._faults.signal(terminal, rule, "", Signal.RAISE if gone else Signal.CLEAR, at)
        silent = () if remembered and not gone else tuple(rules.silent)
        for name in (*silent, *rules.unseen):
            self._faults.signal(terminal, rules.rules[name], "", Signal.CLEAR, at)

    def await_silence(self, terminal: Terminal, besides: Mapping[str, timedelta] = _NONE) -> None:
        """One reminder for each rule of silence, from the first time that it is heard; until then
        for each rule about those that were never heard."""
        since, rules = terminal.heard_at, terminal.plan.silent
        if since is None:
            since, rules = terminal.commissioned_at, terminal.plan.unseen
        for name, after in rules.items():
            if since is not None and besides.get(name) != after:
                timer = Timer(since + after, Turn.SILENCE, terminal.code, name, str(after))
                self._faults.timers.put(timer)

    def fall_silent(self, terminal: Terminal, timer: Timer, now: datetime) -> None:
        """The reminder is due: it is silent, or be reminded again."""
        plan = terminal.plan
        never = timer.rule in plan.unseen
        after = plan.unseen.get(timer.rule) if never else plan.silent.get(timer.rule)
        once = timer.item == _ONCE
        if after is None or (str(after) != timer.item and not once):  # another catalogue, or cell
            return
        if never and terminal.heard_at is not None:
            return
        due = self._silent_at(terminal, after, never=never)
        if due is None or due <= now:
            # What the broker remembers of it is no silence: it was there, or its will says more.
            told = terminal.connected is not None if never else terminal.connected is False
            if due is not None and not told:
                at = terminal.clock(due)
                self._faults.signal(terminal, plan.rules[timer.rule], "", Signal.RAISE, at)
                self._settle(terminal, at)
            due = now + (min(after, HEARD_OUT) if never else after)
        if not once:
            self._faults.timers.put(timer._replace(due=due))

    def look_again(self, terminal: Terminal, now: datetime) -> None:
        """Its will speaks for its silence no more, and it was not heard: the broker remembers."""
        for name in terminal.plan.silent:
            self._faults.timers.put(Timer(now, Turn.SILENCE, terminal.code, name, _ONCE))

    def _silent_at(self, terminal: Terminal, after: timedelta, *, never: bool) -> datetime | None:
        """When it has been silent for so long; None while we are blind, and nobody is."""
        watching = self.watching_since
        if watching is None:
            return None
        if not never:
            return None if terminal.heard_at is None else max(terminal.heard_at, watching) + after
        if terminal.commissioned_at is None:
            return None
        return max(terminal.commissioned_at + after, watching + min(after, HEARD_OUT))

    def await_return(self, terminal: Terminal) -> None:
        """A will that was not believed yet when all was read back: it is, unless it is heard."""
        holds = [terminal.holds.get((rule.name, "")) for rule in terminal.plan.offline]
        if terminal.connected is False and any(
            hold is None or hold.phase is Phase.CLEARING for hold in holds
        ):
            self._unbelieved.append(terminal)
            self._await_unbelieved()

    @property
    def returns(self) -> tuple[Return, ...]:
        """The last time that the broker was back, and that we alone were, in that order: one does
        not end the time that the other gives."""
        return tuple(sorted(self._returns.values()))

    def returned(self, at: datetime, patience: timedelta, *, alone: bool = False) -> None:
        """We hear again. Who was cut off from the broker, and has his time still, was not silent
        for as much as we know, though we alone were away in it."""
        before = self._returns.get(patience >= RETURN)
        alone = alone and (before is None or before.alone or at >= before.until)
        again = Return(at, patience, alone)
        self._returns[again.of_broker] = again
        self._await_unbelieved()

    def _await_unbelieved(self) -> None:
        if not self._returns:  # it is not known yet how long they have
            return
        for terminal in self._unbelieved:
            until = self._until([terminal]) or max(each.until for each in self.returns)
            self._faults.timers.put(Timer(until, Turn.RETURN, terminal.code, ""))
        self._unbelieved.clear()

    def come_back(self, terminal: Terminal, due: datetime) -> None:
        """It has had its time to come back after us: its will means it, unless it was heard."""
        at = terminal.clock(due)
        self.judge_connection(terminal, at, remembered=True)
        self._settle(terminal, at)

    def awaited(self, subject: Terminal | Cell, rule: str, now: datetime) -> datetime | None:
        """Until when what was cut off with us may come back; a cell waits for its members."""
        if not any(now < each.until for each in self._returns.values()):  # as nearly always
            return None
        members: Iterable[Terminal] = (subject,) if isinstance(subject, Terminal) else ()
        if isinstance(subject, Cell) and (gathering := subject.gatherings.get(rule)):
            members = gathering.members.values()
        until = self._until(members)
        return until if until and now < until else None

    def _until(self, terminals: Iterable[Terminal]) -> datetime | None:
        """The end of the time that is given to those of them who were not heard since."""
        first = min((each.heard_at or _NEVER for each in terminals), default=None)
        if first is None:
            return None
        return max((each.until for each in self._returns.values() if first < each.at), default=None)

    def soonest(self, terminal: Terminal, timer: Timer) -> timedelta:
        """How soon one that is awaited may be silent: it is to be heard first, and all are awaited
        at once, so each look too many is one for every terminal of the region."""
        return terminal.plan.silent.get(timer.rule, RETURN)

    def cut_off(self, terminal: Terminal, now: datetime) -> bool:
        """Whether it could not reach the broker either, and is heard now for the first time since:
        that it was pending as unheard says nothing of what happened when nobody could hear it."""
        back = self._returns.get(True)
        if back is None or back.alone or now >= back.until:
            return False
        return (terminal.heard_at or _NEVER) < back.at


@cache
def _said(after: timedelta) -> str:
    """A duration as timers carry it: every terminal is asked about the same few."""
    return str(after)
