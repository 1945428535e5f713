"""A terminal's journal: what it said, until the broker has it, and for a while after.

Rules: messages go out in order; one that was sent and not acknowledged when the connection broke
goes out again, before any later one, with the same boot and seq; the last `length` messages are
kept after their acknowledgement, for the command `resend`. More than `length` unsent ones push the
oldest out: a line that is down for days loses the beginning, and `dropped` counts it.
"""

from collections import deque

from simulator.voice import Outgoing

LENGTH = 2000

Key = tuple[int, int]


def key(message: Outgoing) -> Key:
    """What names a message of one terminal: boot and seq."""
    return message.boot, message.seq


class Journal:
    """The messages of one terminal."""

    __slots__ = ("_acknowledged", "_ahead", "_kept", "_sent", "_waiting", "dropped")

    def __init__(self, length: int = LENGTH) -> None:
        self._kept: deque[Outgoing] = deque(maxlen=length)
        self._waiting: deque[Outgoing] = deque()
        self._sent: dict[Key, Outgoing] = {}
        self._acknowledged: dict[int, int] = {}
        self._ahead: set[Key] = set()
        self.dropped = 0

    def append(self, message: Outgoing) -> None:
        """Take in a new message."""
        if len(self._waiting) == self._kept.maxlen:
            self._waiting.popleft()
            self.dropped += 1
        self._kept.append(message)
        self._waiting.append(message)
        self._acknowledged.setdefault(message.boot, 0)

    def next(self) -> Outgoing | None:
        """The next message to send, which then counts as sent; None when there is none."""
        if not self._waiting:
            return None
        message = self._waiting.popleft()
        self._sent[key(message)] = message
        return message

    def rewind(self) -> None:
        """The connection is a new one: what was sent and not acknowledged is to be sent again."""
        self._waiting.extendleft(reversed(self._sent.values()))
        self._sent.clear()

    def acknowledge(self, which: Key) -> None:
        """The broker has it."""
        self._sent.pop(which, None)
        boot, seq = which
        if seq <= self._acknowledged.get(boot, 0):
            return
        self._ahead.add(which)
        while (boot, self._acknowledged.get(boot, 0) + 1) in self._ahead:
            self._acknowledged[boot] = self._acknowledged.get(boot, 0) + 1
            self._ahead.discard((boot, self._acknowledged[boot]))

    def give_up(self, which: Key) -> None:
        """The broker refuses it for good."""
        self._sent.pop(which, None)
        self.dropped += 1

    def resend(self, boot: int, first: int, last: int) -> tuple[int, int]:
        """Send acknowledged messages of a boot once more; returns how many are still kept, and how
        many are not any more.

        Those that are on their way anyway are counted and not doubled. Behind the last number of
        the boot there never was any; of a boot of which nothing is kept, that is not known.
        """
        said = [m for m in self._kept if m.boot == boot]
        wanted = [m for m in said if first <= m.seq <= last]
        under_way = {*self._sent, *map(key, self._waiting)}
        self._waiting.extend(m for m in wanted if key(m) not in under_way)
        numbers = min(last, said[-1].seq) if said else last
        return len(wanted), max(0, numbers - first + 1) - len(wanted)

    @property
    def in_flight(self) -> int:
        """Messages sent and not acknowledged."""
        return len(self._sent)

    @property
    def unacknowledged(self) -> int:
        """Messages the broker does not have yet."""
        return len(self._sent) + len(self._waiting)

    @property
    def acknowledged(self) -> dict[int, int]:
        """By boot, the last seq up to which the broker has every message."""
        return dict(self._acknowledged)
