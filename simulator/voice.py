"""What a terminal says: messages of the contract, each with the next `seq` of its boot."""

import random
from datetime import datetime, timedelta, timezone

import msgspec

from fleet.telemetry import Event, Telemetry
from simulator.layers import Layers
from simulator.properties import trees

ZONE = timezone(timedelta(hours=8))

Outgoing = Telemetry | Event


class Voice:
    """Makes the messages of one terminal and keeps them until they are taken.

    Status and storage are encoded again only when they differ; the messages between share the
    bytes, which is what makes a journal of thousands of them small.
    """

    def __init__(self, boot: int, layers: Layers, chance: random.Random) -> None:
        self.boot = boot
        self.seq = 0
        self._layers = layers
        self._chance = chance
        self._warmth_c = chance.uniform(24, 32)
        self._distance_ms = chance.uniform(15, 70)
        self._disk_free_pct = round(chance.uniform(35, 75), 1)
        self._said: list[Outgoing] = []
        self._encoded = -1
        self._status = self._storage = msgspec.Raw(b"")
        self._set_metrics: dict[str, object] = {}

    def take(self) -> list[Outgoing]:
        """What was said since last asked, in order of `seq`."""
        said, self._said = self._said, []
        return said

    def reboot(self) -> None:
        """Begin the next boot."""
        self.boot += 1
        self.seq = 0

    def snapshot(self, at: float) -> None:
        """Say how everything is."""
        self._layers.changed = False
        if self._encoded != self._layers.version:
            self._encoded = self._layers.version
            status, storage, self._set_metrics = trees(self._layers.effective())
            self._status = msgspec.Raw(msgspec.json.encode(status))
            self._storage = msgspec.Raw(msgspec.json.encode(storage))
        metrics = self._measure() | self._set_metrics
        message = Telemetry(
            ts=local_time(at),
            boot=self.boot,
            seq=self._next(),
            status=self._status,
            storage=self._storage,
            metrics=msgspec.Raw(msgspec.json.encode(metrics)),
        )
        self._said.append(message)

    def error(self, at: float, component: str, event_id: str, action: str) -> None:
        """Say that something failed, as `Common.ErrorEvent`."""
        self._said.append(
            Event(
                ts=local_time(at),
                boot=self.boot,
                seq=self._next(),
                event="Common.ErrorEvent",
                component=component,
                event_id=event_id,
                action=action,
            )
        )

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
        self._said.append(
            Event(
                ts=local_time(at),
                boot=self.boot,
                seq=self._next(),
                event="transaction",
                component=component,
                transaction=kind,
                outcome=outcome,
                amount=amount,
                currency=None if amount is None else currency,
            )
        )

    def _measure(self) -> dict[str, object]:
        chance = self._chance
        return {
            "temperature_c": round(self._warmth_c + chance.uniform(-0.6, 0.6), 1),
            "rtt_ms": round(self._distance_ms * chance.uniform(0.9, 1.6)),
            "disk_free_pct": self._disk_free_pct,
        }

    def _next(self) -> int:
        self.seq += 1
        return self.seq


def local_time(at: float) -> datetime:
    """Epoch seconds as the terminal's clock shows them, to the millisecond."""
    return datetime.fromtimestamp(round(at, 3), ZONE)
