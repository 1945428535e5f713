"""The ledgers in memory, by terminal and boot; what is not there is in the database."""

from collections.abc import Iterable, Iterator, Mapping

from collector.intake import Opened, Repeated
from fleet.heartbeat import Heartbeat
from fleet.ledger import Received
from fleet.rules.terminal import Terminal
from fleet.telemetry import Event, Telemetry

LedgerKey = tuple[int, int]
"""A terminal's id and a boot."""

NUMBERED = (Heartbeat, Telemetry, Event)  # A | B would be made anew for every message

_KEPT = 4  # of a terminal, per boot: the latest and stragglers


class Ledgers(dict[LedgerKey, Received]):
    """Those that were read."""

    def unread(self, messages: Iterable[Opened | Repeated]) -> set[LedgerKey]:
        """The ledgers that messages need and that are not here."""
        return {key for key, _ in _asked(messages) if key not in self}

    def blurred(self, messages: Iterable[Opened | Repeated]) -> set[LedgerKey]:
        """Those of the ledgers here that do not know, for a message, whether it is stored."""
        return {
            key
            for key, seq in _asked(messages)
            if (received := self.get(key)) is not None and received.is_blurred(seq)
        }

    def forget(self, terminals: Mapping[int, Terminal]) -> bool:
        """Keep memory bounded: those of boots long past are read again when needed; whether some
        went. Between two batches, for one that is being judged relies on those it found."""
        if len(self) <= _KEPT * max(len(terminals), 16):
            return False
        current = {(each.id, each.boot) for each in terminals.values()}
        for key in self.keys() - current:
            del self[key]
        return True


def _asked(messages: Iterable[Opened | Repeated]) -> Iterator[tuple[LedgerKey, int]]:
    for each in messages:
        if isinstance(each.message, NUMBERED):
            yield (each.entry.id, each.message.boot), each.message.seq
