"""What a broken or hostile sender puts on the wire, one kind of each thing that is quarantined."""

import random
from datetime import UTC, datetime, timedelta

import msgspec

_TELEMETRY = "telemetry"


def make(chance: random.Random, at: float) -> tuple[str, bytes]:
    """A channel, and bytes that no collector may take for a message."""
    return chance.choice(_KINDS)(chance, datetime.fromtimestamp(at, UTC))


def _cut_short(chance: random.Random, at: datetime) -> tuple[str, bytes]:
    whole = _message(at)
    return _TELEMETRY, whole[: chance.randrange(1, len(whole))]


def _noise(chance: random.Random, _at: datetime) -> tuple[str, bytes]:
    return chance.choice((_TELEMETRY, "event")), chance.randbytes(chance.randrange(1, 400))


def _wrong_type(_chance: random.Random, at: datetime) -> tuple[str, bytes]:
    return _TELEMETRY, _message(at, status={"cardReader": {"media": 7}})


def _card_number(chance: random.Random, at: datetime) -> tuple[str, bytes]:
    digits = [chance.randrange(10) for _ in range(15)]
    doubled = [d if place % 2 else d * 2 for place, d in enumerate(digits)]
    check = -sum(d - 9 if d > 9 else d for d in doubled) % 10
    number = "".join(map(str, (*digits, check)))
    return _TELEMETRY, _message(at, status={"cardReader": {"lastCard": number}})


def _far_future(chance: random.Random, at: datetime) -> tuple[str, bytes]:
    return _TELEMETRY, _message(at + timedelta(days=chance.randrange(2, 9000)))


def _oversized(chance: random.Random, at: datetime) -> tuple[str, bytes]:
    return _TELEMETRY, _message(
        at, status={"common": {"note": "x" * chance.randrange(66000, 70000)}}
    )


def _result_of_nothing(_chance: random.Random, _at: datetime) -> tuple[str, bytes]:
    return "event", b"[]"


_KINDS = (
    _cut_short,
    _noise,
    _wrong_type,
    _card_number,
    _far_future,
    _oversized,
    _result_of_nothing,
)


def _message(at: datetime, **fields: object) -> bytes:
    """A message whose numbers are those of no boot there ever was."""
    return msgspec.json.encode({"ts": at, "boot": 0, "seq": 1, "status": {}} | fields)
