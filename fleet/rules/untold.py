"""What terminals' holds did and cells do not know yet: something earlier may still come.

A message may come `lateness` after it was written, and one that waits for another waits as long
again. So twice the lateness after an instant all is known that happened in it, and that is how far
the cells' clock is behind ours. Steps of a message that was late beyond that, or of a terminal
whose clock is, count from its arrival. Nothing of this holds back a terminal's own state.
"""

import heapq
from collections import defaultdict
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise

from fleet.rules.changes import Rated
from fleet.rules.company import OURS
from fleet.rules.hold import Hold
from fleet.rules.record import Record
from fleet.rules.steps import Fire, Step, Word
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timers

Key = tuple[str, str]


class Untold:
    """The steps that wait, in the order in which they will be told, and the timers of the cells
    that hear of them, by the cells' clock."""

    def __init__(self, rules: frozenset[str], lateness: timedelta, record: Record) -> None:
        """`rules` are those whose faults are told in order; none without a lateness."""
        self.rules = rules if lateness else frozenset[str]()
        self.timers = Timers()
        self.decided = False
        """Whether something was decided that others may have waited for."""
        self._behind = 2 * lateness
        self._lateness = lateness
        self._record = record
        self._told_until: datetime | None = None
        self._heap: list[tuple[datetime, str, int]] = []
        self._terminals: dict[str, Terminal] = {}

    def clock(self, now: datetime) -> datetime:
        """The cells' clock at our `now`."""
        return now - self._behind

    def is_due(self, now: datetime) -> bool:
        """Whether something can be told by `now`."""
        clock = self.clock(now)
        return self.timers.is_due(clock) or bool(self._heap and self._heap[0][0] <= clock)

    def next_at(self) -> datetime | None:
        """The instant that is told next."""
        steps = [self._heap[0][0]] if self._heap else []
        found = [*steps, *([self.timers.next_due] if self.timers.next_due else [])]
        return max(min(found), self._told_until or min(found)) if found else None

    def next_due(self) -> datetime | None:
        """When that is told, by our clock."""
        found = self.next_at()
        return None if found is None else found + self._behind

    def reach(self, at: datetime) -> None:
        """What happened up to this instant has been told."""
        self._told_until = max(at, self._told_until or at)

    # -- what happens --------------------------------------------------------------------------

    def covers(self, subject: object, rule: str) -> bool:
        """Whether the faults of a rule about a terminal are told in order."""
        return rule in self.rules and isinstance(subject, Terminal)

    def is_strange(self, terminal: Terminal) -> bool:
        """Whether something waits of a terminal that these rules do not tell in order. That it came
        into service or went out of it waits by any of them."""
        mine = self.rules | {""} if self.rules else self.rules
        return any(step.rule not in mine for step in terminal.steps.values())

    def note(
        self, terminal: Terminal, rule: str, item: str, at: datetime, word: Word | None = None
    ) -> None:
        """A hold has moved at `at` of the terminal's time, or something is to be said of it."""
        key = (rule, item)
        last = next((s for s in _newest(terminal) if (s.rule, s.item) == key), None)
        hold = terminal.holds.get(key)
        before = terminal.told.get(key) if last is None or last.counted else last.after
        if word is None and _alike(before, hold):
            return
        counts_at = self.by_our_clock(terminal, rule, at)
        if last is not None:
            counts_at = max(counts_at, last.at)
        if hold is not None and before is None:
            hold.counted_at = counts_at
        after = None if hold is None else replace(hold)
        self._put(terminal, Step(counts_at, rule, item, before, after, word))

    def serve(self, terminal: Terminal, now: datetime) -> None:
        """A terminal came into service, or went out of it."""
        if not self.rules:
            terminal.served = terminal.in_service
            return
        known = next((s.serves for s in _newest(terminal) if s.serves is not None), terminal.served)
        if known is not terminal.in_service:
            self._put(terminal, Step(now, "", "", serves=terminal.in_service))

    def keep(self, terminal: Terminal, place: int) -> None:
        """Write a step down as it is now; or that it waits no longer."""
        self._record.steps[terminal.id, place] = terminal.steps.get(place)

    def rewrite(self, terminal: Terminal, key: Key) -> None:
        """Who speaks for a fault is another: what waits of it stands beside that."""
        for place, step in terminal.steps.items():
            if (step.rule, step.item) == key and not step.counted:
                self.keep(terminal, place)
                return

    def _put(self, terminal: Terminal, step: Step) -> None:
        step.at = max(step.at, self._told_until or step.at)
        place = max(terminal.steps, default=-1) + 1
        terminal.steps[place] = step
        self.keep(terminal, place)
        heapq.heappush(self._heap, (step.at, terminal.code, place))

    def by_our_clock(self, terminal: Terminal, rule: str, at: datetime) -> datetime:
        """When cells count what happened at `at` of a terminal's time."""
        found = terminal.plan.rules.get(rule)
        ours = found is not None and isinstance(found.trigger, OURS)
        return at + terminal.lag if ours or terminal.lag > self._lateness else at

    # -- what is told --------------------------------------------------------------------------

    def take(self, until: datetime) -> list[tuple[Terminal, int]]:
        """The steps up to an instant, in order, each once: a place that was free again may have
        been taken by a step of the same instant."""
        found: list[tuple[Terminal, int]] = []
        seen: set[tuple[str, int]] = set()
        while self._heap and self._heap[0][0] <= until:
            at, code, place = heapq.heappop(self._heap)
            terminal = self._terminals.get(code)
            step = None if terminal is None else terminal.steps.get(place)
            if terminal is None or step is None or step.at != at or step.counted:
                continue
            if (code, place) not in seen:
                seen.add((code, place))
                found.append((terminal, place))
        return found

    # -- who is there --------------------------------------------------------------------------

    def adopt(self, terminal: Terminal) -> None:
        """Take on a terminal with the steps that waited: what was told of it is what was so before
        the first of them."""
        self._terminals[terminal.code] = terminal
        terminal.served, terminal.told = terminal.in_service, {}
        for key, hold in terminal.holds.items():
            if hold.counted_at is None:  # it is from before that was written down
                hold.counted_at = self.by_our_clock(terminal, key[0], hold.started_at)
            if key[0] in self.rules:
                terminal.told[key] = replace(hold)
        by_key: dict[Key, list[Step]] = defaultdict(list)
        for place, step in sorted(terminal.steps.items()):
            if not step.counted:
                heapq.heappush(self._heap, (step.at, terminal.code, place))
            if step.serves is None:
                by_key[step.rule, step.item].append(step)
        first = next((s for _, s in sorted(terminal.steps.items()) if s.serves is not None), None)
        if first is not None:
            terminal.served = not first.serves
        for key, steps in by_key.items():
            _go_on(terminal.holds.get(key), steps)
            self._go_back(terminal, key, steps)

    def forget(self, terminal: Terminal) -> None:
        """A terminal is gone."""
        del self._terminals[terminal.code]

    def _go_back(self, terminal: Terminal, key: Key, steps: list[Step]) -> None:
        for one, other in pairwise(steps):
            one.after = other.before
        last = steps[-1]
        hold = terminal.holds.get(key)
        last.after = None if hold is None else replace(hold)
        waiting = [each for each in steps if not each.counted]
        told = waiting[0].before if waiting else terminal.told.get(key)
        if told is None:
            terminal.told.pop(key, None)
            return
        terminal.told[key] = told
        for each in steps:
            if each.counted and isinstance(each.word, Fire) and told.fault_id == each.word.id:
                told.fault_id = None


def _go_on(hold: Hold | None, steps: list[Step]) -> None:
    """What a hold's fault is by now, of which nothing was told yet: no row of a fault says it."""
    for word in [each.word for each in steps]:
        if hold is not None and isinstance(word, Fire | Rated) and word.id == hold.fault_id:
            hold.severity = word.severity
            hold.shadow = word.shadow if isinstance(word, Fire) else hold.shadow


def _newest(terminal: Terminal) -> list[Step]:
    return list(reversed(terminal.steps.values())) if terminal.steps else []


def _alike(one: Hold | None, other: Hold | None) -> bool:
    """Whether cells would see no difference."""
    if one is None or other is None:
        return one is other
    return (one.phase, one.started_at) == (other.phase, other.started_at)
