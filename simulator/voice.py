"""What a terminal says: messages of the contract, each with the next `seq` of its boot."""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from math import pi, sin
from typing import NamedTuple

import msgspec

from fleet.telemetry import Event, Telemetry
from simulator.behaviour import DAY_S
from simulator.layers import Layers
from simulator.properties import trees, units

ZONE = timezone(timedelta(hours=8))

Outgoing = Telemetry | Event


class Garbage(NamedTuple):
    """Bytes that are no message of the contract, on one of the terminal's channels."""

    channel: str
    payload: bytes


class Line(NamedTuple):
    """The terminal's line goes down or comes up; or, up before and after, it begins a new boot."""

    up: bool
    boot: int


class Moved(NamedTuple):
    """The terminal speaks for a region from now on; empty: for its own again."""

    region: str


Entry = Outgoing | Garbage | Line | Moved


@dataclass(frozen=True, slots=True)
class Manner:
    """How a terminal speaks: its vendor's quirks, and how often it measures."""

    quirks: frozenset[str] = field(default_factory=frozenset)
    measure_s: float = 0.0


class Voice:
    """Makes the messages of one terminal and keeps them until they are taken.

    Status and storage are encoded again only when they differ; the messages between share the
    bytes, which is what makes a journal of thousands of them small. What is said while `muted` is
    not said. `ahead_s` is how far the terminal's clock is wrong.

    Quirks: `extra` adds fields that only the vendor knows; `delta` sends, on a change, only the
    components that changed, and everything with the next heartbeat.
    """

    def __init__(
        self, boot: int, layers: Layers, chance: random.Random, manner: Manner | None = None
    ) -> None:
        self.boot = boot
        self.seq = 0
        self.muted = False
        self.ahead_s = 0.0
        self._layers = layers
        self._chance = chance
        self._manner = manner or Manner()
        self._warmth_c = chance.uniform(24, 32)
        self._distance_ms = chance.uniform(15, 70)
        self._disk_free_pct = round(chance.uniform(35, 75), 1)
        self._said: list[tuple[float, Entry]] = []
        self._encoded = -1
        self._components: dict[str, object] = {}
        self._status = self._storage = msgspec.Raw(b"")
        self._set_metrics: dict[str, object] = {}
        self._measured_at = float("-inf")
        self._metrics = msgspec.Raw(b"")

    def take(self) -> list[tuple[float, Entry]]:
        """What was said since last asked, each with its true instant, in order."""
        said, self._said = self._said, []
        return said

    def line(self, at: float, *, up: bool) -> None:
        """Note that the line goes down or comes up."""
        self._said.append((at, Line(up, self.boot)))

    def moved(self, at: float, region: str) -> None:
        """Note for which region the terminal speaks."""
        self._said.append((at, Moved(region)))

    def reboot(self, at: float) -> None:
        """Begin the next boot."""
        self.boot += 1
        self.seq = 0
        self._said.append((at, Line(up=True, boot=self.boot)))

    def snapshot(self, at: float, *, whole: bool = True) -> None:
        """Say how everything is; with `whole` False it is a change that is told."""
        self._layers.changed = False
        if self.muted:
            return
        before = self._components
        if self._encoded != self._layers.version:
            self._encode()
        status = self._status
        if not whole and before:
            status = self._delta(before)
        message = Telemetry(
            ts=local_time(at + self.ahead_s),
            boot=self.boot,
            seq=self._next(),
            status=status,
            storage=self._storage,
            metrics=self._measure(at),
        )
        self._said.append((at, message))

    def error(self, at: float, component: str, event_id: str, action: str) -> None:
        """Say that something failed, as `Common.ErrorEvent`."""
        if self.muted:
            return
        event = Event(
            ts=local_time(at + self.ahead_s),
            boot=self.boot,
            seq=self._next(),
            event="Common.ErrorEvent",
            component=component,
            event_id=event_id,
            action=action,
        )
        self._said.append((at, event))

    def transaction(
        self,
        at: float,
        component: str,
        kind: str,
        outcome: str,
        amount: float | None,
        currency: str,
    ) -> None:
        """Say what a customer did."""
        if self.muted:
            return
        event = Event(
            ts=local_time(at + self.ahead_s),
            boot=self.boot,
            seq=self._next(),
            event="transaction",
            component=component,
            transaction=kind,
            outcome=outcome,
            amount=amount,
            currency=None if amount is None else currency,
        )
        self._said.append((at, event))

    def garbage(self, at: float, channel: str, payload: bytes) -> None:
        """Send what nobody can read."""
        if not self.muted:
            self._said.append((at, Garbage(channel, payload)))

    def _encode(self) -> None:
        self._encoded = self._layers.version
        self._measured_at = float("-inf")
        if self._layers.units_only:  # what every customer changes
            self._storage = msgspec.Raw(msgspec.json.encode(units(self._layers.effective())))
            return
        self._layers.units_only = True
        status, storage, self._set_metrics = trees(self._layers.effective())
        if "extra" in self._manner.quirks:
            status = status | {"vendorDiagnostics": {"firmware": "4.2.1", "fanSpeed": 2150}}
        if "delta" in self._manner.quirks:  # nobody else needs what was before
            self._components = status
        self._status = msgspec.Raw(msgspec.json.encode(status))
        self._storage = msgspec.Raw(msgspec.json.encode(storage))

    def _delta(self, before: Mapping[str, object]) -> msgspec.Raw:
        """Only the components that differ; cash units go whole, a list being all there is."""
        now = self._components
        differing = {name: now[name] for name in now if before.get(name) != now[name]}
        return msgspec.Raw(msgspec.json.encode(differing))

    def _measure(self, at: float) -> msgspec.Raw:
        """Read the sensors; between two measurements the figures stay."""
        if at - self._measured_at >= self._manner.measure_s or at < self._measured_at:
            self._measured_at = at
            chance = self._chance
            daily = 2.5 * sin(2 * pi * (at % DAY_S) / DAY_S)  # at +08:00 the warmest is 14 h
            read: dict[str, object] = {
                "temperature_c": round(self._warmth_c + daily + chance.uniform(-0.4, 0.4), 1),
                "rtt_ms": round(self._distance_ms * chance.uniform(0.9, 1.6)),
                "disk_free_pct": self._disk_free_pct,
            }
            if self._set_metrics:
                read |= self._set_metrics
            self._metrics = msgspec.Raw(msgspec.json.encode(read))
        return self._metrics

    def _next(self) -> int:
        self.seq += 1
        return self.seq


def local_time(at: float) -> datetime:
    """Epoch seconds as the terminal's clock shows them, to the millisecond."""
    return datetime.fromtimestamp(round(at, 3), ZONE)
