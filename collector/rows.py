"""Rows in the binary format of PostgreSQL's COPY, each packed in one go.

Format: https://www.postgresql.org/docs/17/sql-copy.html#SQL-COPY-FILE-FORMATS. A row is the number
of its columns, then each column's length (-1: null) and bytes, all in network order; a timestamptz
is microseconds since 2000, a jsonb its version and the text. The order of the columns is that of
the statements in `store.sql`.
"""

import struct
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import msgspec

from fleet.heartbeat import Heartbeat
from fleet.snapshot import Measured
from fleet.telemetry import Event, Presence, Telemetry

_HEADER = b"PGCOPY\n\xff\r\n\0" + bytes(8)
_TRAILER = b"\xff\xff"
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
DAY_US = timedelta(days=1) // MICROSECOND
"""Of a chunk of `telemetry`: dropped, it takes with it what is not said again in the next one."""

_NULL = b"\xff\xff\xff\xff"
_METRICS = ("metrics.temperature_c", "metrics.rtt_ms", "metrics.disk_free_pct")

_NUMBERED = "iq ii ii iq iq"  # ts, terminal_id, boot, seq, arrived_at
_HEARTBEAT = struct.Struct(f"!h {_NUMBERED} if if if iii")
_MESSAGE = struct.Struct(f"!h {_NUMBERED}")
_PRESENCE = struct.Struct("!h iq ii ii i? i?")
_PACKET = struct.Struct("!ii")
_INSTANT = struct.Struct("!iq")
_FLOAT = struct.Struct("!if")
_LENGTH = struct.Struct("!i")


def microseconds(at: datetime) -> int:
    """An instant as PostgreSQL counts it: microseconds since 2000."""
    return (at - EPOCH) // MICROSECOND


def copied(rows: Iterable[bytes]) -> bytes:
    """Rows with what COPY expects before and behind them."""
    return b"".join((_HEADER, *rows, _TRAILER))


def telemetry(
    terminal_id: int,
    message: Telemetry | Heartbeat,
    ts_us: int,
    arrived_us: int,
    measured: Measured,
    whole: Telemetry | None = None,
) -> bytes:
    """A row of `telemetry`; status and storage are null where they repeat the message before,
    but for the first of a day.

    Raises `OverflowError` for a metric that no real holds.
    """
    if whole is None and (plain := measured.plain) is not None:
        temperature, rtt, disk = plain
        return _HEARTBEAT.pack(
            11, 8, ts_us, 4, terminal_id, 4, message.boot, 8, message.seq, 8, arrived_us,
            4, temperature, 4, rtt, 4, disk, -1, -1, -1,
        )  # fmt: skip
    numbered = (8, ts_us, 4, terminal_id, 4, message.boot, 8, message.seq, 8, arrived_us)
    numbers = map(measured.values.get, _METRICS)
    return b"".join(
        (
            _MESSAGE.pack(11, *numbered),
            *(_NULL if each is None else _FLOAT.pack(4, each) for each in numbers),
            _jsonb(bytes(whole.status)) if whole else _NULL,
            _jsonb(bytes(whole.storage)) if whole else _NULL,
            _jsonb(msgspec.json.encode(measured.extra)) if measured.extra else _NULL,
        )
    )


def event(terminal_id: int, message: Event, ts_us: int, arrived_us: int, payload: bytes) -> bytes:
    """A row of `event`; its body is the message as it came."""
    numbered = (8, ts_us, 4, terminal_id, 4, message.boot, 8, message.seq, 8, arrived_us)
    return _MESSAGE.pack(7, *numbered) + _text(message.event.encode()) + _jsonb(payload)


def presence(
    terminal_id: int, message: Presence, arrived_us: int, packet_id: int | None, *, retained: bool
) -> bytes:
    """A row of `presence`; a will's own time is when the terminal connected, so it is left out."""
    row = _PRESENCE.pack(
        7, 8, arrived_us, 4, terminal_id, 4, message.boot, 1, message.online, 1, retained
    )
    packet = _NULL if packet_id is None else _PACKET.pack(4, packet_id)
    said = _INSTANT.pack(8, microseconds(message.ts)) if message.online else _NULL
    return row + packet + said


def _text(value: bytes) -> bytes:
    return _LENGTH.pack(len(value)) + value


def _jsonb(value: bytes) -> bytes:
    return _LENGTH.pack(len(value) + 1) + b"\x01" + value
