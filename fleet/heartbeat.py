"""Heartbeats: messages that say the status and storage of the one before once more, to the byte.

Nearly all of a payload is what nearly never changes: a terminal's *refrain*, its status and storage
as they stand in its payloads. Where it stands there again, what is around it is read, and searched
for card numbers, alone: a tenth of the bytes. Whether the short way is open is decided so that it
says what `fleet.telemetry.decode` would say of the whole, or nothing:

- The refrain begins with the comma before `"status"` and ends with the next member's name and
  colon, and what is around it is JSON without it: so it begins between two members of an object.
- No second brace stands before it: that object is the message itself.
- A status or storage beside it, an escape, more than ASCII, or digits enough for a card number: the
  long way.
"""

import re
from functools import lru_cache

import msgspec
from msgspec import UNSET, Raw, UnsetType

from fleet import card_numbers
from fleet.telemetry import MAX_PAYLOAD_BYTES, Boot, Sender, Seq, Telemetry, Time

_REMEMBERED = 2048
"""A fleet says the same few things: so many refrains are kept once for all who say them."""
_SHARED_BYTES = 8192
"""What is longer is kept by those who say it."""
_BEFORE = re.compile(rb',\s*"status"\s*:\s*\Z')
_BETWEEN = re.compile(rb'\s*,\s*"storage"\s*:\s*')
_BEHIND = re.compile(rb'\s*,\s*"[A-Za-z]\w*"\s*:')
_LONGEST_NAME = 80
_NO_STORAGE = b"[]"
_BACKSLASH = ord("\\")


class Heartbeat(msgspec.Struct, frozen=True, gc=False):
    """What a heartbeat says beside its terminal's refrain."""

    ts: Time
    boot: Boot
    seq: Seq
    metrics: Raw = Raw(b"{}")
    status: Raw | UnsetType = UNSET
    storage: Raw | UnsetType = UNSET
    terminal: Sender = None


_DECODER = msgspec.json.Decoder(Heartbeat)


class Refrain(msgspec.Struct, frozen=True, gc=False):
    """Status and storage, and the text around them: from the comma before to the colon behind.

    `opening` is how the text begins; from `kept` on it belongs to a heartbeat again.
    """

    text: bytes
    opening: bytes
    kept: int
    status: bytes
    storage: bytes

    def heartbeat(self, payload: bytes) -> Heartbeat | None:
        """What a payload says beside this refrain; None where `decode` must look at all of it, as
        it must where a terminal that it names is not the one that speaks."""
        place = payload.find(self.opening)
        if (
            place < 0
            or not payload.startswith(self.text, place)
            or payload.find(b"{", 1, place) >= 0
            or len(payload) > MAX_PAYLOAD_BYTES
        ):
            return None
        rest = payload[:place] + payload[place + self.kept :]
        if not rest.isascii() or _BACKSLASH in rest or card_numbers.digits_enough(rest):
            return None
        try:
            said = _DECODER.decode(rest)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return None
        return said if said.status is UNSET and said.storage is UNSET else None

    def whole(self, said: Heartbeat) -> Telemetry:
        """The message of which a heartbeat is the rest."""
        status, storage = Raw(self.status), Raw(self.storage)
        return Telemetry(said.ts, said.boot, said.seq, status, storage, said.metrics, said.terminal)


def refrain(payload: bytes, message: Telemetry) -> Refrain | None:
    """The refrain of a payload that was decoded; None where status and storage stand otherwise."""
    status, storage = bytes(message.status), bytes(message.storage)
    at = payload.find(status)
    before = _BEFORE.search(payload, max(0, at - _LONGEST_NAME), max(0, at))
    if before is None:
        return None
    end = at + len(status)
    between = _BETWEEN.match(payload, end)
    if between is not None:
        if not payload.startswith(storage, between.end()):
            return None
        end = between.end() + len(storage)
    elif storage != _NO_STORAGE:
        return None
    behind = _BEHIND.match(payload, end, end + _LONGEST_NAME)
    if behind is None:
        return None
    begin = before.start()
    text = payload[begin : behind.end()]
    make = _known if len(text) <= _SHARED_BYTES else _made
    return make(text, payload.index(b",", end) - begin, at - begin, len(status), storage)


def _made(text: bytes, kept: int, at: int, size: int, storage: bytes) -> Refrain:
    opening = text[: text.index(b":")]
    return Refrain(text, opening, kept, text[at : at + size], storage)


_known = lru_cache(maxsize=_REMEMBERED)(_made)  # one for all who say it: they share its bytes
