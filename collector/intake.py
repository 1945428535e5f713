"""From a packet to a message of a known terminal, or to a reason why not."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from collector.registry import Entry, Registry
from fleet import card_numbers, topics
from fleet.quarantine import Quarantined, Reason
from fleet.telemetry import MAX_PAYLOAD_BYTES, Message, Presence, check_time, decode
from fleet.topics import Channel, TopicError

_CHANNELS: dict[str, Channel] = {channel.value: channel for channel in Channel}


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A packet as the broker delivered it; `packet_id` is what to acknowledge."""

    topic: str
    payload: bytes
    retained: bool
    packet_id: int | None
    at: datetime


class Opened(msgspec.Struct, frozen=True, gc=False):
    """A packet that is a message of the contract."""

    arrival: Arrival
    channel: Channel
    entry: Entry
    message: Message


@dataclass(frozen=True, slots=True)
class SetAside:
    """A packet for quarantine: masked and cut, safe to store and to log; `whole` if neither."""

    arrival_at: datetime
    topic: str
    reason: Reason
    detail: str
    size: int
    payload: bytes
    whole: bool


def unpack(arrival: Arrival, registry: Registry) -> Opened:
    """The message in a packet; raises `Quarantined` with the reason."""
    address, _, last = arrival.topic.rpartition("/")
    channel, entry = _CHANNELS.get(last), registry.at(address)
    if channel is None or entry is None:
        channel, entry = _strange(arrival, registry)
    message = decode(channel, entry.code, arrival.payload)
    if not isinstance(message, Presence):
        check_time(message.ts, arrival.at)
    return Opened(arrival, channel, entry, message)


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
    return SetAside(arrival.at, topic[:512], why.reason, detail[:1024], size, kept, whole)
