"""From a packet to a message of a known terminal, or to a reason why not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import ClassVar

import msgspec

from collector import rows
from collector.registry import Entry, Registry
from fleet import card_numbers, heartbeat, mqtt, topics
from fleet.heartbeat import Heartbeat, Refrain
from fleet.ledger import Received
from fleet.quarantine import Quarantined, Reason
from fleet.rules.terminal import Terminal
from fleet.telemetry import (
    MAX_AHEAD,
    MAX_BEHIND,
    MAX_PAYLOAD_BYTES,
    Message,
    Presence,
    Telemetry,
    check_time,
    decode,
)
from fleet.topics import Channel, TopicError

_CHANNELS: dict[str, Channel] = {channel.value: channel for channel in Channel}
Arrival = mqtt.Message
"""A packet as the broker delivered it."""
_MICROSECOND = timedelta(microseconds=1)
_LEAST_US, _MOST_US = -MAX_BEHIND // _MICROSECOND, MAX_AHEAD // _MICROSECOND


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A packet that is a message of the contract."""

    arrival: Arrival
    source: "Source"
    message: Message

    @property
    def channel(self) -> Channel:
        """What kind of message it is."""
        return self.source.channel

    @property
    def entry(self) -> Entry:
        """Who says it."""
        return self.source.entry


class Repeated(msgspec.Struct, frozen=True, gc=False):
    """A packet that is a heartbeat: telemetry, all but for its terminal's refrain.

    `said_us` and `arrived_us` are when, microseconds since 2000.
    """

    channel: ClassVar = Channel.TELEMETRY
    arrival: Arrival
    source: "Source"
    message: Heartbeat
    refrain: Refrain
    said_us: int
    arrived_us: int

    @property
    def entry(self) -> Entry:
        """Who says it."""
        return self.source.entry

    def whole(self) -> Opened:
        """The same with all that it says."""
        message = self.refrain.whole(self.message)
        return Opened(self.arrival, self.source, message)


@dataclass(frozen=True, slots=True)
class SetAside:
    """A packet for quarantine: masked and cut, safe to store and to log; `whole` if neither;
    `again` if the broker may have delivered it before."""

    arrival_at: datetime
    topic: str
    reason: Reason
    detail: str
    size: int
    payload: bytes
    whole: bool
    packet_id: int | None
    again: bool


class Source(msgspec.Struct, gc=False):
    """A topic that a terminal speaks on, what it says there again and again, and what is kept of it
    for its heartbeats: the terminal, and the ledger of the boot that it is in; -1: not known.
    `day`, counted from 2000, is that of what was last taken the long way: a day begins so."""

    entry: Entry
    channel: Channel
    refrain: Refrain | None = None
    boot: int = -1
    terminal: Terminal | None = None
    received: Received | None = None
    day: int = -1

    def keep(self, boot: int, terminal: Terminal, received: Received) -> None:
        """Its heartbeats are of this boot."""
        self.boot, self.terminal, self.received = boot, terminal, received

    def reach(self, day: int, *, late: bool) -> None:
        """It speaks of this day now; what is `late` is of another, and it goes on with its own."""
        if not late:
            self.day = day

    def forget(self) -> None:
        """What was kept may not be in use any more."""
        self.boot, self.terminal, self.received = -1, None, None


@dataclass(slots=True)
class Opening:
    """The messages in packets, and the packets that are none; `unsure` are the messages of boots
    whose ledgers may not be in memory, or are blurred there."""

    messages: list[Opened | Repeated] = field(default_factory=list)
    unsure: list[Opened | Repeated] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)


class Intake:
    """The topics of a region's terminals, as far as they were heard."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._sources: dict[str, Source] = {}

    def renew(self, registry: Registry) -> None:
        """Take in what the api changed."""
        self._registry = registry
        entries = registry.entries
        for topic, source in list(self._sources.items()):
            entry = entries.get(source.entry.code)
            if entry is None:
                del self._sources[topic]
            elif source.entry is not entry:
                source.entry = entry
                source.forget()

    def forget_ledgers(self) -> None:
        """Those in memory are not the same any more."""
        for source in self._sources.values():
            source.forget()

    def open(self, arrivals: Sequence[Arrival]) -> Opening:
        """What packets say, and which of them say nothing."""
        opening = Opening()
        messages, unsure = opening.messages, opening.unsure
        sources, at, arrived_us = self._sources, None, 0
        for arrival in arrivals:
            if arrival.at is not at:  # many come at one time
                at, arrived_us = arrival.at, rows.microseconds(arrival.at)
            try:
                source = sources.get(arrival.topic) or self.find(arrival)
                refrain = source.refrain
                said = refrain.heartbeat(arrival.payload) if refrain else None
                # Whoever names itself alone is looked up: it takes two reads of far memory.
                if (
                    refrain is None
                    or said is None
                    or (said.terminal is not None and said.terminal != source.entry.code)
                ):
                    opened = _open(arrival, source)
                    messages.append(opened)
                    unsure.append(opened)
                    continue
                said_us = (said.ts - rows.EPOCH) // rows.MICROSECOND  # a call saved, so often
                if not _LEAST_US < said_us - arrived_us < _MOST_US:
                    check_time(said.ts, arrival.at)
                repeated = Repeated(arrival, source, said, refrain, said_us, arrived_us)
                messages.append(repeated)
                kept = source.received
                if said.boot != source.boot or kept is None or said.seq <= kept.blurred_to:
                    unsure.append(repeated)
            except Quarantined as why:
                opening.aside.append(set_aside(arrival, why))
        return opening

    def find(self, arrival: Arrival) -> Source:
        """Whose topic it is; raises `Quarantined` where it is nobody's here."""
        address, _, last = arrival.topic.rpartition("/")
        channel, entry = _CHANNELS.get(last), self._registry.at(address)
        if channel is None or entry is None:
            channel, entry = _strange(arrival, self._registry)
            return Source(entry, channel)
        source = self._sources[arrival.topic] = Source(entry, channel)
        return source


def unpack(arrival: Arrival, registry: Registry) -> Opened:
    """The message in a packet; raises `Quarantined` with the reason."""
    return _open(arrival, Intake(registry).find(arrival))


def _open(arrival: Arrival, source: Source) -> Opened:
    message = decode(source.channel, source.entry.code, arrival.payload)
    if not isinstance(message, Presence):
        check_time(message.ts, arrival.at)
    if isinstance(message, Telemetry):
        source.refrain = heartbeat.refrain(arrival.payload, message)
    return Opened(arrival, source, message)


def _strange(arrival: Arrival, registry: Registry) -> tuple[Channel, Entry]:
    """Why a packet is from no terminal of ours; what is wrong with its payload goes first."""
    try:
        topic = topics.parse(arrival.topic)
    except TopicError as error:
        raise Quarantined(Reason.WRONG_TOPIC, str(error)) from None
    decode(topic.channel, topic.terminal, arrival.payload)
    return topic.channel, registry.find(topic.region, topic.terminal)


def set_aside(arrival: Arrival, why: Quarantined) -> SetAside:
    """What is kept of a packet that could not be taken."""
    kept = card_numbers.mask(arrival.payload[:MAX_PAYLOAD_BYTES])
    topic = card_numbers.mask(arrival.topic.encode()).decode(errors="replace")
    detail = card_numbers.mask(why.detail.encode()).decode(errors="replace")
    whole = kept == arrival.payload and topic[:512] == arrival.topic
    size = len(arrival.payload)
    return SetAside(
        arrival.at, topic[:512], why.reason, detail[:1024], size, kept, whole,
        arrival.packet_id, arrival.duplicate,
    )  # fmt: skip
