"""Real traffic, kept and played again: what a broker carried, a line of JSON a message.

    {"at":1795651200.125,"topic":"fleet/v1/region-01/ATM-0001/telemetry","payload":"{…}"}

`at` is when it arrived, epoch seconds; `retain` is whether the broker had kept it; a payload that
is no UTF-8 stands as `raw`, in base64. What looks like a card number is masked before anything is
written, all but its last four digits.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO

import msgspec
from mqtt5 import PubAckReasonCode

from fleet import card_numbers
from fleet.mqtt import (
    Broker,
    Connection,
    Filter,
    Message,
    MqttError,
    PublicationRefused,
    Session,
    connect,
)
from simulator.errors import RecordingError, SimulatorError

FLEET = "fleet/v1/#"
_WINDOW = 500
_LINE = 100_000


class Recorded(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message as the broker delivered it, masked."""

    at: float
    topic: str
    payload: str | None = None
    raw: bytes | None = None
    retain: bool = False

    @property
    def content(self) -> bytes:
        """The payload's bytes."""
        return self.raw if self.payload is None and self.raw else (self.payload or "").encode()


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Recorded)


def recorded(topic: str, payload: bytes, at: float, *, retain: bool = False) -> Recorded:
    """A message to be kept, what looks like a card number masked in topic and payload."""
    name = card_numbers.mask(topic.encode()).decode(errors="replace")
    masked = card_numbers.mask(payload)
    try:
        return Recorded(round(at, 6), name, payload=masked.decode(), retain=retain)
    except UnicodeDecodeError:
        return Recorded(round(at, 6), name, raw=masked, retain=retain)


def read(path: Path) -> Iterator[Recorded]:
    """The messages of a recording, in order; raises RecordingError naming the line."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                try:
                    yield _DECODER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise RecordingError(f"{path}:{number}: {error}") from error
    except OSError as error:
        raise RecordingError(f"{path}: {error.strerror}") from error


def again(message: Recorded, later_s: float, boots: int) -> bytes:
    """The payload as it is played: its time so much later, its boot so many further.

    What is no message of ours, or has neither, is played as it was.
    """
    if not later_s and not boots:
        return message.content
    try:
        fields = msgspec.json.decode(message.content)
        if not isinstance(fields, dict):
            return message.content
        if later_s and isinstance(fields.get("ts"), str):
            at = datetime.fromisoformat(fields["ts"]) + timedelta(seconds=later_s)
            fields["ts"] = at.isoformat()
        if boots and isinstance(fields.get("boot"), int):
            fields["boot"] += boots
    except (msgspec.DecodeError, UnicodeDecodeError, ValueError, OverflowError):
        return message.content
    return msgspec.json.encode(fields)


async def record(
    broker: Broker,
    file: BinaryIO,
    topic: str,
    stopped: asyncio.Event,
    told: Callable[[int], None],
) -> int:
    """Write what the broker carries until stopped; returns how many. Raises SimulatorError.

    What the file held goes once the broker lets us listen: the account must be let read the topic.
    """
    count = 0

    def take(connection: Connection, message: Message) -> None:
        nonlocal count
        if not count:
            _empty(file)
        kept = recorded(message.topic, message.payload, time.time(), retain=message.retain)
        file.write(_ENCODER.encode(kept) + b"\n")
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        count += 1
        told(count)

    async with _connected(broker, take) as connection:
        try:
            await connection.subscribe([Filter(topic)])
        except ValueError as error:
            raise SimulatorError(f"{topic!r}: {error}") from error
        if not count:
            _empty(file)
        waiting: asyncio.Future[object] = asyncio.ensure_future(stopped.wait())
        closed: asyncio.Future[object] = asyncio.ensure_future(_end(connection))
        await asyncio.wait({waiting, closed}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        closed.cancel()
        if connection.closed.done() and (broken := connection.closed.result()) is not None:
            raise broken
    return count


async def replay(
    broker: Broker,
    messages: Iterator[Recorded],
    told: Callable[[int], None],
    *,
    speed: float = 1.0,
    retime: bool = False,
    boots: int = 0,
) -> int:
    """Publish a recording, `speed` times as fast (0: as fast as it goes); returns how many.

    With `retime` each message's own time is moved to when it is played. Raises SimulatorError, also
    where the broker refuses a message: what comes after that one is not played.
    """
    count = 0
    refusals: list[MqttError] = []

    def answered(sent: "asyncio.Future[PubAckReasonCode]") -> None:
        if isinstance(refusal := sent.exception(), PublicationRefused):
            refusals.append(refusal)

    async with _connected(broker, _ignore) as connection:
        began, first = time.time(), None
        sent: asyncio.Future[PubAckReasonCode] | None = None
        for message in messages:
            first = message.at if first is None else first
            due = began + (message.at - first) / speed if speed else time.time()
            if (wait_s := due - time.time()) > 0:
                await asyncio.sleep(wait_s)
            later_s = time.time() - message.at if retime else 0.0
            payload = again(message, later_s, boots)
            try:
                sent = connection.publish(message.topic, payload, retain=message.retain)
            except ValueError as error:
                raise RecordingError(f"message {count + 1}: {error}") from error
            sent.add_done_callback(answered)
            count += 1
            told(count)
            if connection.outstanding >= _WINDOW:
                await asyncio.wait({sent})
            if refusals:
                break
        if sent is not None:
            await asyncio.wait({sent})
            if failed := next(iter(refusals), sent.exception()):
                raise failed
    return count


@contextlib.asynccontextmanager
async def _connected(
    broker: Broker, take: Callable[[Connection, Message], None]
) -> AsyncIterator[Connection]:
    try:
        name = f"recorder-{time.time_ns():x}"
        connection = await connect(broker, Session(name, waiting_line=_LINE), take)
        try:
            yield connection
        finally:
            await connection.disconnect()
    except MqttError as error:
        raise SimulatorError(f"{broker}: {error}") from error


async def _end(connection: Connection) -> MqttError | None:
    return await asyncio.shield(connection.closed)


def _empty(file: BinaryIO) -> None:
    if file.seekable():
        file.truncate(0)


def _ignore(_connection: Connection, _message: Message) -> None:
    """Nothing is subscribed to."""
