"""A test told to the engine, in virtual time: snapshots as they arrive, a tick every second."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from fleet.rules.engine import Engine
from fleet.rules.hearing import CATCH_UP, RETURN
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal
from fleet.rules.trials.calls import covers
from fleet.rules.trials.seen import Seen
from fleet.rules.trials.snapshots import snapshot
from fleet.rules.trials.story import T0, Blind, Fate, Player, Trial, Window
from fleet.sla.calendar import Span
from fleet.telemetry import Event, Presence
from fleet.windows.hours import ALWAYS, Hours, Use
from fleet.windows.schedule import Schedule
from fleet.windows.window import Purpose

_TICK = timedelta(seconds=1)
_NEVER = Schedule("UTC", {})


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: timedelta
    made: timedelta
    player: int
    boot: int
    seq: int
    fate: Fate | None
    """None: an event, no snapshot."""
    number: int


class _Stage:
    """The engine with its clock, and everything that happens to it in its turn."""

    def __init__(self, trial: Trial, rules: Sequence[Rule] | Selection) -> None:
        self._trial = trial
        self._now = timedelta()
        self._blind = False
        self.seen = Seen()
        self.engine = Engine(rules)
        self.engine.watch(T0)
        for number, player in enumerate(trial.players):
            self.engine.adopt(_terminal(number, player))

    def reach(self, at: timedelta) -> None:
        """Let time pass, second by second; while nobody listens it does not."""
        while not self._blind and self._now + _TICK < at:
            self._now += _TICK
            self.engine.tick(T0 + self._now)
        self._now = at
        if not self._blind:
            self.engine.tick(T0 + at)
        self._note()

    def deliver(self, arrival: "_Arrival") -> None:
        """A message has come."""
        _deliver(self.engine, self._trial.players[arrival.player], arrival)
        self._note()

    def lose_sight(self, _: Blind) -> None:
        """Nobody listens any more."""
        self.engine.watch(None)
        self._blind = True

    def see_again(self, over: Blind) -> None:
        """Somebody listens: what was sent meanwhile comes now."""
        until = T0 + over.stretch.end
        self.engine.watch(until)
        self.engine.returned(until, RETURN if over.broker else CATCH_UP)
        self._blind = False

    def serve(self, window: Window, *, in_service: bool) -> None:
        """Works begin, or end."""
        for terminal in self.engine.terminals.values():
            if covers(window, terminal):
                self.engine.serve(terminal, T0 + self._now, in_service=in_service)
        self._note()

    def finish(self) -> Seen:
        """The test is over."""
        self.reach(self._trial.until)
        self.seen.call(self._trial, self.engine.terminals)
        return self.seen

    def _note(self) -> None:
        self.seen.note(self.engine.take().changes)


def _terminal(number: int, player: Player) -> Terminal:
    uses = tuple(Use(Span(T0 + each.begin, T0 + each.end), _NEVER) for each in player.closed)
    return Terminal(
        number, player.name, player.kind, player.cell, player.vendor, player.model, player.region,
        player.above, hours=Hours((uses,)) if uses else ALWAYS, commissioned_at=T0,
    )  # fmt: skip


def play(trial: Trial, rules: Sequence[Rule] | Selection) -> Seen:
    """Everything that the engine makes of a test, up to its end."""
    stage = _Stage(trial, rules)
    for at, _, do in sorted(_moments(trial, stage), key=lambda each: each[:2]):
        if at <= trial.until:
            stage.reach(at)
            do()
    return stage.finish()


def _moments(
    trial: Trial, stage: _Stage
) -> Iterator[tuple[timedelta, tuple[int, ...], Callable[[], None]]]:
    """What happens when; of what happens together, who listens comes first, then messages."""
    for each in trial.blind:
        yield each.stretch.begin, (1,), partial(stage.lose_sight, each)
        yield each.stretch.end, (0,), partial(stage.see_again, each)
    for window in trial.windows:
        if window.purpose is Purpose.MAINTENANCE:
            yield window.stretch.begin, (2,), partial(stage.serve, window, in_service=False)
            yield window.stretch.end, (2,), partial(stage.serve, window, in_service=True)
    arrivals = (each for n, _ in enumerate(trial.players) for each in _arrivals(trial, n))
    for number, arrival in enumerate(sorted(arrivals, key=_order)):
        waits = [
            b.stretch.end for b in trial.blind if b.stretch.begin <= arrival.at < b.stretch.end
        ]
        come = replace(arrival, at=max(waits, default=arrival.at))
        yield come.at, (3, number), partial(stage.deliver, come)


def _order(arrival: "_Arrival") -> tuple[timedelta, int, int, int]:
    return arrival.at, arrival.player, arrival.boot, arrival.seq


def _arrivals(trial: Trial, number: int) -> Iterable[_Arrival]:
    player = trial.players[number]
    events = [(at, n) for n, (at, _) in enumerate(player.events)]
    boot, seq = 1, 0
    for n in range(-(-trial.until // trial.interval)):
        sending = player.messages[min(n, len(player.messages) - 1)]
        made = n * trial.interval
        while events and events[0][0] < made:
            at, which = events.pop(0)
            seq += 1
            yield _Arrival(at, at, number, boot, seq, None, which)
        if sending.fate is Fate.BOOT:
            boot, seq = boot + 1, 0
            yield _Arrival(made, made, number, boot, 0, Fate.BOOT, n)
        if sending.fate is Fate.WILL:
            yield _Arrival(made, made, number, boot, 0, Fate.WILL, n)
            continue
        seq += 1
        at = made + sending.delay
        if sending.fate is Fate.LOST or at > trial.until:
            continue
        for _ in range(2 if sending.fate is Fate.TWICE else 1):
            yield _Arrival(at, made, number, boot, seq, Fate.SENT, n)
    for at, which in events:
        seq += 1
        yield _Arrival(at, at, number, boot, seq, None, which)


def _deliver(engine: Engine, player: Player, arrival: _Arrival) -> None:
    terminal, now = engine.terminals[arrival.player], T0 + arrival.at
    if arrival.fate is None:
        said = player.events[arrival.number][1]
        event = Event(
            ts=now,
            boot=arrival.boot,
            seq=arrival.seq,
            event=said["event"],
            component=said.get("component"),
            event_id=said.get("event_id"),
            action=said.get("action"),
            outcome=said.get("outcome"),
        )
        engine.event(terminal, event, now)
    elif arrival.fate is Fate.SENT:
        message = snapshot(player, arrival.number, arrival.made, arrival.boot, arrival.seq)
        engine.telemetry(terminal, message, now)
    else:
        presence = Presence(now, arrival.boot, arrival.fate is Fate.BOOT)
        engine.presence(terminal, presence, now, retained=False)
