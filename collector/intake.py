"""From a packet to a message of a known terminal, or to a reason why not."""

from dataclasses import dataclass
from datetime import datetime

from collector.registry import Entry, Registry
from fleet import card_numbers, topics
from fleet.quarantine import Quarantined, Reason
from fleet.telemetry import MAX_PAYLOAD_BYTES, Message, Presence, check_time, decode
from fleet.topics import Channel, TopicError


@dataclass(frozen=True, slots=True)
class Arrival:
    """A packet as the broker delivered it; `packet_id` is what to acknowledge."""

    topic: str
    payload: bytes
    retained: bool
    packet_id: int | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Opened:
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
    try:
        topic = topics.parse(arrival.topic)
    except TopicError as error:
        raise Quarantined(Reason.WRONG_TOPIC, str(error)) from None
    message = decode(topic.channel, topic.terminal, arrival.payload)
    entry = registry.find(topic.region, topic.terminal)
    if not isinstance(message, Presence):
        check_time(message.ts, arrival.at)
    return Opened(arrival, topic.channel, entry, message)


def set_aside(arrival: Arrival, why: Quarantined) -> SetAside:
    """What is kept of a packet that could not be taken."""
    kept = card_numbers.mask(arrival.payload[:MAX_PAYLOAD_BYTES])
    topic = card_numbers.mask(arrival.topic.encode()).decode(errors="replace")
    detail = card_numbers.mask(why.detail.encode()).decode(errors="replace")
    whole = kept == arrival.payload and topic[:512] == arrival.topic
    size = len(arrival.payload)
    return SetAside(arrival.at, topic[:512], why.reason, detail[:1024], size, kept, whole)
