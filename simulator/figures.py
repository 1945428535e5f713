"""What the simulator counts about itself."""

from collections import Counter, deque
from dataclasses import dataclass, field

import msgspec

RECENT = 4096


class Summary(msgspec.Struct, frozen=True):
    """The figures at one instant, as `simulator/v1/state` carries them; latencies in ms."""

    terminals: int
    connected: int
    published: int
    acknowledged: int
    dropped: int
    losses: int
    unacknowledged: int
    publish_p50_ms: float
    publish_p99_ms: float
    troubles: int = 0
    wrong_now: int = 0
    connects: int = 0
    online: bool = True


@dataclass(slots=True)
class Figures:
    """Counters of a run; `published` counts every sending, repeated ones too."""

    terminals: int
    connected: int = 0
    published: int = 0
    acknowledged: int = 0
    losses: int = 0
    connects: int = 0
    troubles: Counter[str] = field(default_factory=Counter)
    _latencies_s: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def acknowledge(self, latency_s: float) -> None:
        """Count a message the broker took, so long after it was sent."""
        self.acknowledged += 1
        self._latencies_s.append(latency_s)

    def summary(
        self, unacknowledged: int, dropped: int, troubles: int = 0, wrong_now: int = 0
    ) -> Summary:
        """The figures now, with the journals' and the truth's; latencies over the last thousands.

        `troubles` is how many things went wrong so far, `wrong_now` how many are so.
        """
        ordered = sorted(self._latencies_s) or [0.0]
        p50, p99 = (ordered[int((len(ordered) - 1) * share)] * 1000 for share in (0.5, 0.99))
        return Summary(
            terminals=self.terminals,
            connected=self.connected,
            published=self.published,
            acknowledged=self.acknowledged,
            dropped=dropped,
            losses=self.losses,
            unacknowledged=unacknowledged,
            publish_p50_ms=round(p50, 2),
            publish_p99_ms=round(p99, 2),
            troubles=troubles,
            wrong_now=wrong_now,
            connects=self.connects,
        )
