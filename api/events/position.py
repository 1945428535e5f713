"""Places in the feed, as clients keep them: the `Last-Event-ID` of server-sent events."""

import re
from dataclasses import dataclass
from typing import Self

from api.errors import Invalid

_WRITTEN = re.compile(r"(\d{1,20})-([01x])-(\d{1,18})", re.ASCII)
_SOURCES = {"x": -1, "0": 0, "1": 1}
_LETTERS = {number: letter for letter, number in _SOURCES.items()}


@dataclass(frozen=True, slots=True)
class Position:
    """After which row to go on: transaction, source (-1 before any, 0 faults, 1 tickets), row."""

    tx: str
    source: int
    key: int

    @classmethod
    def before(cls, tx: str) -> Self:
        """Before all rows of a transaction."""
        return cls(tx, -1, 0)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read one that was given out; raises `Invalid` for anything else."""
        written = _WRITTEN.fullmatch(text)
        if written is None or int(written[1]) >= 2**64:
            raise Invalid("header.Last-Event-ID", "is not an id of this stream")
        return cls(written[1], _SOURCES[written[2]], int(written[3]))

    def __str__(self) -> str:
        return f"{self.tx}-{_LETTERS[self.source]}-{self.key}"
