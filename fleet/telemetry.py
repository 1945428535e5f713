"""The messages of the wire contract: their types, and how bytes become them and back.

The status, storage and metrics of a telemetry message stay raw bytes: most heartbeats repeat the
last ones, and equal bytes need no second reading. `fleet.snapshot` reads them when they changed.
"""

from datetime import datetime, timedelta
from typing import Annotated

import msgspec

from fleet import card_numbers, numerals
from fleet.components import OneOf
from fleet.quarantine import Quarantined, Reason
from fleet.topics import Channel

MAX_PAYLOAD_BYTES = 64 * 1024
MAX_AHEAD = timedelta(hours=1)
"""How far a time may be ahead of its arrival: a wrong clock is borne, a wrong year is not."""
MAX_BEHIND = timedelta(days=30)
"""How long a terminal may keep messages while it has no line."""
_MOST_BEHIND = -MAX_BEHIND

EVENT_IDS = ("hardware", "software", "user", "fraudAttempt")
ACTIONS = ("reset", "softwareError", "configuration", "clear", "maintenance", "suspend")

MAX_SEQ = 2**53
"""The greatest whole number that every reader of JSON takes for itself."""

Time = Annotated[datetime, msgspec.Meta(tz=True, description="RFC 3339 with offset")]
Boot = Annotated[
    int, msgspec.Meta(ge=0, le=2**31 - 1, description="grows by one each start of the terminal")
]
Seq = Annotated[
    int,
    msgspec.Meta(
        ge=1, le=MAX_SEQ, description="grows by one each telemetry or event message of a boot"
    ),
]
Sender = Annotated[
    str | None,
    msgspec.Meta(description="the sender's own id, if it says so: must be the topic's terminal"),
]


class Telemetry(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A whole snapshot of a terminal, sent every heartbeat and at once on change."""

    ts: Time
    boot: Boot
    seq: Seq
    status: msgspec.Raw
    storage: msgspec.Raw = msgspec.Raw(b"[]")
    metrics: msgspec.Raw = msgspec.Raw(b"{}")
    terminal: Sender = None


class Event(msgspec.Struct, frozen=True, gc=False, omit_defaults=True, rename="camel"):
    """One thing that happened: an XFS4IoT event or a transaction's outcome.

    `event` is the XFS4IoT name (`Common.ErrorEvent`) or `transaction`; `event_id` and `action` are
    those of `Common.ErrorEvent`; amounts are in whole units of `currency`.
    """

    ts: Time
    boot: Boot
    seq: Seq
    event: Annotated[str, msgspec.Meta(min_length=1, max_length=80)]
    component: str | None = None
    event_id: Annotated[str | None, OneOf(*EVENT_IDS)] = None
    action: Annotated[
        str | None,
        OneOf(*ACTIONS),
    ] = None
    transaction: str | None = None
    outcome: str | None = None
    amount: float | None = None
    currency: str | None = None
    detail: dict[str, object] | None = None
    terminal: Sender = None


class Presence(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Whether the terminal is connected: its birth message, and with `online` false its will."""

    ts: Time
    boot: Boot
    online: bool
    terminal: Sender = None


class Result(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """A terminal's answer to a command; MQTT's correlation data says to which."""

    ts: Time
    boot: Boot
    op: str
    ok: bool
    detail: dict[str, object] | None = None
    terminal: Sender = None


class Resend(
    msgspec.Struct,
    frozen=True,
    tag_field="op",
    tag="resend",
    rename={"first": "from", "last": "to"},
):
    """The command to send messages `first` to `last` (both included) of a boot again."""

    boot: Boot
    first: Seq
    last: Seq


class Reset(msgspec.Struct, frozen=True, tag_field="op", tag="reset"):
    """The command to restart the terminal's software (XFS4IoT action `reset`)."""


Command = Resend | Reset
Message = Telemetry | Event | Presence | Result

_DECODERS: dict[Channel, msgspec.json.Decoder[Message]] = {
    Channel.TELEMETRY: msgspec.json.Decoder(Telemetry),
    Channel.EVENT: msgspec.json.Decoder(Event),
    Channel.STATUS: msgspec.json.Decoder(Presence),
    Channel.RESULT: msgspec.json.Decoder(Result),
}
_COMMANDS: msgspec.json.Decoder[Command] = msgspec.json.Decoder(Command)


def decode(channel: Channel, terminal: str, payload: bytes) -> Message:
    """The message in a payload that arrived on a terminal's channel.

    Raises `Quarantined` with the reason and the field: oversized, a card number in it, not JSON,
    a field missing or of the wrong type, a number too long, another terminal's name inside.
    """
    if len(payload) > MAX_PAYLOAD_BYTES:
        size = f"{len(payload)} bytes, {MAX_PAYLOAD_BYTES} are allowed"
        raise Quarantined(Reason.OVERSIZED, size)
    if card_numbers.present(payload):
        raise Quarantined(Reason.CARD_NUMBER, "13 to 19 digits that pass the Luhn check; masked")
    if b"\\" in payload and b"\\u0000" in payload:  # looking for one byte is much cheaper
        raise Quarantined(Reason.MALFORMED, "an escaped NUL character: PostgreSQL stores none")
    decoder = _DECODERS.get(channel)
    if decoder is None:
        raise Quarantined(Reason.WRONG_TOPIC, f"a terminal does not publish on {channel}")
    try:
        message = decoder.decode(payload)
        payload.decode()  # the decoder reads no text that it passes over
        for stored in _stored(message, payload):
            numerals.check(stored)
    except (
        msgspec.DecodeError, UnicodeDecodeError, RecursionError, numerals.NotStorable
    ) as error:  # fmt: skip
        raise Quarantined(Reason.MALFORMED, str(error)) from None
    if message.terminal is not None and message.terminal != terminal:
        raise Quarantined(
            Reason.WRONG_TOPIC,
            f"field terminal says {message.terminal[:64]!r}, the topic {terminal!r}",
        )
    return message


def decode_taken(channel: Channel, payload: bytes) -> Message:
    """What `encode` wrote of a message that was taken: it was checked as it came, and is written
    otherwise than it came (`4.1e15` as sixteen digits), so nothing is checked again."""
    return _DECODERS[channel].decode(payload)


def _stored(message: Message, payload: bytes) -> tuple[bytes, ...]:
    """What the database is given of it to read as JSON; metrics it is given as they were read."""
    if isinstance(message, Telemetry):
        return bytes(message.status), bytes(message.storage)
    return (payload,)


def check_time(ts: datetime, arrived_at: datetime) -> None:
    """Raise `Quarantined` where a message's time is too far from its arrival to be true."""
    ahead = ts - arrived_at
    if ahead > MAX_AHEAD:
        raise Quarantined(Reason.FAR_FUTURE, f"field ts {ts} is over {MAX_AHEAD} ahead of arrival")
    if ahead < _MOST_BEHIND:
        raise Quarantined(Reason.FAR_PAST, f"field ts {ts} is over {MAX_BEHIND} before arrival")


def decode_command(payload: bytes) -> Command:
    """The command in a payload, for the terminal's side; raises `Quarantined` (malformed)."""
    try:
        return _COMMANDS.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Quarantined(Reason.MALFORMED, str(error)) from None


def encode(message: Message | Command) -> bytes:
    """The message as JSON in UTF-8; times with their offset."""
    return msgspec.json.encode(message)
