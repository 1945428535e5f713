"""One region's collector in virtual time: the same ledgers, engine and repair, and no database."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from collector.intake import Arrival, unpack
from collector.registry import Entry, Registry
from collector.repair import Repair, Stored
from fleet import topics
from fleet.demo import DemoTerminal
from fleet.ledger import Received
from fleet.quarantine import Quarantined
from fleet.rules.catalogue import Catalogue
from fleet.rules.engine import Engine
from fleet.telemetry import Message, Presence, Result, Telemetry, check_time
from simulator.virtual import VirtualFleet
from simulator.wire import Arrived
from tellergrid.virtual.said import Said
from tellergrid.virtual.tickets import TicketDesk

_SLICE_S = 1.0


class VirtualRegion:
    """Judges what arrives of one region's terminals, by their numbers in the fleet."""

    def __init__(
        self,
        region: str,
        terminals: Mapping[int, DemoTerminal],
        above: Mapping[str, tuple[str, ...]],
        catalogue: Catalogue,
        start: float,
    ) -> None:
        self._registry = Registry(
            region,
            {
                each.code: Entry(
                    number, each.code, each.kind, each.cell, each.vendor, each.model,
                    above.get(each.cell, ()),
                )
                for number, each in terminals.items()
            },
            {},
        )  # fmt: skip
        self._engine = Engine(catalogue.selection(), region)
        self._engine.watch(_instant(start))
        for entry in self._registry.entries.values():
            self._engine.adopt(entry.terminal(region))
        self._addresses = {
            number: topics.build(region, each.code, topics.Channel.STATUS).rpartition("/")[0]
            for number, each in terminals.items()
        }
        self._ledger: dict[tuple[int, int], Received] = {}
        self._gappy: dict[tuple[int, int], Received] = {}
        self._repair = Repair(Stored({}, {}, {}), _instant(start))
        self._slice = start
        self.said = Said()
        self.tickets = TicketDesk()
        self.counts: Counter[str] = Counter()

    def watch(self, since: float | None) -> None:
        """From when on everything is heard again; None while the broker is away."""
        self._engine.watch(None if since is None else _instant(since))
        if since is not None:
            self._engine.returned(_instant(since))

    def take(self, arrived: Arrived) -> None:
        """Let time pass up to a message, and judge it."""
        if arrived.at - self._slice > _SLICE_S:
            self._note(arrived.at)
        at = _instant(arrived.at)
        self._engine.tick(at)
        self.counts["messages"] += 1
        if arrived.region:  # to the other region's collector it is a stranger
            self.counts["quarantined"] += 1
            return
        try:
            message = arrived.message
            if isinstance(message, bytes):
                message = self._unpacked(arrived, message, at)
            self._judge(arrived.terminal, message, at)
        except Quarantined as why:
            self.counts["quarantined"] += 1
            self.counts[f"quarantined {why.reason}"] += 1

    def settle(self, until: float, fleet: VirtualFleet) -> None:
        """Let time pass up to there, and ask for what is missing."""
        now = _instant(until)
        self._engine.tick(now)
        self._note(until)
        self._engine.take()  # what only a database wants to know
        self._repair.note(self._gappy, now)
        # One that has closed was noted once more, so that nobody asks for it again.
        self._gappy = {key: each for key, each in self._gappy.items() if not _whole(each)}
        for ask in self._repair.due(now, self._is_gone):
            command = ask.command
            self.counts["asked again"] += 1
            fleet.resend(ask.terminal_id, command.boot, command.first, command.last, until)

    @property
    def missing(self) -> int:
        """Messages that never came."""
        return self._repair.messages

    def _is_gone(self, terminal: int) -> bool:
        return self._engine.terminals[terminal].connected is False

    def _unpacked(self, arrived: Arrived, payload: bytes, at: datetime) -> Message:
        topic = f"{self._addresses[arrived.terminal]}/{arrived.channel.value}"
        return unpack(Arrival(topic, payload, at), self._registry).message

    def _judge(self, number: int, message: Message, at: datetime) -> None:
        terminal = self._engine.terminals[number]
        if isinstance(message, Presence):
            self._engine.presence(terminal, message, at, retained=False)
        elif not isinstance(message, Result):
            check_time(message.ts, at)
            key = (number, message.boot)
            received = self._ledger.get(key)
            if received is None:
                received = self._ledger[key] = Received()
            in_order = message.seq == received.last + 1
            if not in_order and message.seq in received:
                self.counts["doubled"] += 1
            elif isinstance(message, Telemetry):
                self._engine.telemetry(terminal, message, at)
            else:
                self._engine.event(terminal, message, at)
            received.add(message.seq)
            if not in_order and not _whole(received):
                self._gappy[key] = received

    def _note(self, now: float) -> None:
        since, self._slice = self._slice, now
        if self._engine.has_decided:
            changes = self._engine.take().changes
            self.tickets.follow(self.said.note(changes, since, now), now)


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)


def _whole(received: Received) -> bool:
    return received.unbroken(from_one=False)
