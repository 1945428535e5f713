"""One terminal's connection in virtual time: what of its story arrives at the broker, and when.

Rules, those of `simulator.terminal` without a network:

- A connection begins with the birth message, then what waited in the journal, then life goes on.
- A line that is cut is noticed at once, and the last will follows; one that is half open is noticed
  by the keep-alive, or when the terminal comes back before.
- While the broker is away there is no will: who would publish it. Everybody comes back within the
  bound of the back-off.
"""

import random
from collections import deque
from typing import NamedTuple

from fleet.telemetry import Event, Presence, Result
from fleet.topics import Channel
from simulator.device import Device
from simulator.journal import Journal, key
from simulator.passage import Passage
from simulator.voice import Entry, Garbage, Line, Moved, Outgoing, local_time

LATENCY_S = 0.05
KEEP_ALIVE_S = 60
NOTICED_S = 1.5 * KEEP_ALIVE_S
COMING_BACK_S = (0.02, 0.2)
STARTING_ANEW_S = (0.1, 1.0)
COMING_BACK_TO_BROKER_S = (0.2, 30.0)
_STEP_S = 0.001


class Arrived(NamedTuple):
    """A message at the broker: when, from whom, on what channel; bytes are no message at all."""

    at: float
    terminal: int
    channel: Channel
    message: Outgoing | Presence | Result | bytes
    region: str = ""
    """Of the topic, where it is not the terminal's own."""


class Wire:
    """One terminal's; `terminal` is its number in the fleet."""

    def __init__(self, terminal: int, device: Device, passage: Passage, seed: int) -> None:
        self.device = device
        self._terminal = terminal
        self._passage = passage
        self._chance = random.Random(f"{seed}/{device.code}/wire")  # noqa: S311 - a simulation
        self._up = False
        self._cut = False
        self._linked = True
        self._back_at: float | None = None
        self._will: tuple[float, int, str] | None = None
        self._boot = device.boot
        self._region = ""
        self._journal = Journal()
        self._waiting: deque[Outgoing] = deque()
        self._out: list[Arrived] = []

    @property
    def next_at(self) -> float:
        """When something happens here again."""
        next_at = self.device.next_at
        if self._will is None and self._back_at is None:  # as nearly always
            return next_at
        return min(next_at, self._will[0] if self._will else next_at, self._back_at or next_at)

    @property
    def waiting(self) -> int:
        """Messages that are made and have not gone out."""
        return len(self._waiting)

    def begin(self, at: float) -> None:
        """Connect for the first time."""
        self._back_at = at

    def play(self, until: float) -> list[Arrived]:
        """Live until then; returns what arrives of it, which may be later."""
        for at, entry in self.device.live(until):
            if self._will is not None or self._back_at is not None:
                self._pass(at)
            self._happen(at, entry)
        self._pass(until)
        out, self._out = self._out, []
        return out

    def cut(self, at: float) -> None:
        """The broker goes away."""
        self._pass(at)
        self._cut, self._up, self._back_at, self._will = True, False, None, None

    def join(self, at: float) -> None:
        """The broker is there again."""
        self._cut = False
        if self._linked:
            self._back_at = at + self._chance.uniform(*COMING_BACK_TO_BROKER_S)

    def resend(self, boot: int, first: int, last: int, at: float) -> list[Arrived]:
        """Answer the command: send again what the journal still has."""
        if not self._up or self._region:
            return []
        self._journal.resend(boot, first, last)
        out: list[Arrived] = []
        while (message := self._journal.next()) is not None:
            self._journal.acknowledge(key(message))
            out.append(self._arrival(at + LATENCY_S + _STEP_S * len(out), message))
        return out

    def _happen(self, at: float, entry: Entry) -> None:
        if isinstance(entry, Line):
            self._follow(at, entry)
        elif isinstance(entry, Moved):
            self._move(at, entry.region)
        elif isinstance(entry, Garbage):
            if self._up:
                self._arrive(at + LATENCY_S, Channel(entry.channel), entry.payload)
        elif self._up:
            self._send(at, entry)
        else:
            self._waiting.append(entry)

    def _follow(self, at: float, line: Line) -> None:
        back_in = STARTING_ANEW_S if line.boot != self._boot else COMING_BACK_S
        self._linked = line.up
        if self._up:
            half_open = not line.up and self._passage.breaks_half_open()
            self._will = (at + (NOTICED_S if half_open else LATENCY_S), self._boot, self._region)
        self._boot = line.boot
        self._up = False
        self._back_at = None
        if line.up and not self._cut:
            self._back_at = at + self._chance.uniform(*back_in)

    def _pass(self, at: float) -> None:
        """Let time pass: a will falls due, the terminal is back."""
        back_at = self._back_at
        if self._will is not None and (self._will[0] <= at or (back_at and back_at <= at)):
            due, boot, region = self._will
            self._will = None
            gone_at = due if back_at is None else min(due, back_at)
            self._presence(gone_at, boot, region, online=False)
        if back_at is not None and back_at <= at:
            self._back_at = None
            self._up = True
            self._presence(back_at, self._boot, self._region, online=True)
            for place, message in enumerate(self._waiting, 1):
                self._send(back_at + _STEP_S * place, message)
            self._waiting.clear()

    def _move(self, at: float, region: str) -> None:
        """Its connection ends, and it comes back for the other region."""
        if self._up:
            self._will = (at + LATENCY_S, self._boot, self._region)
            self._up = False
            self._back_at = at + self._chance.uniform(*COMING_BACK_S)
        self._region = region

    def _presence(self, at: float, boot: int, region: str, *, online: bool) -> None:
        message = Presence(local_time(at), boot, online)
        self._out.append(Arrived(at + LATENCY_S, self._terminal, Channel.STATUS, message, region))

    def _send(self, at: float, message: Outgoing) -> None:
        if self._passage.is_perfect:
            self._out.append(self._arrival(at + LATENCY_S, message))
            if self._region:  # where it belongs it will be missing, and be asked for
                self._keep(message)
            return
        for delay_s, each in self._passage.carry(message):
            self._out.append(self._arrival(at + LATENCY_S + delay_s, each))
        self._keep(message)

    def _keep(self, message: Outgoing) -> None:
        self._journal.append(message)
        self._journal.next()
        self._journal.acknowledge(key(message))

    def _arrival(self, at: float, message: Outgoing) -> Arrived:
        channel = Channel.EVENT if isinstance(message, Event) else Channel.TELEMETRY
        return Arrived(at, self._terminal, channel, message, self._region)

    def _arrive(self, at: float, channel: Channel, payload: bytes) -> None:
        self._out.append(Arrived(at, self._terminal, channel, payload, self._region))
