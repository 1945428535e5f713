"""One statement of a batch's transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement of `store.sql`, or a COPY of packed rows, with its values; `each` is many."""

    name: str
    values: Sequence[Any] | Mapping[str, Any] | None = None
    each: Sequence[Sequence[Any]] | None = None
    packed: Sequence[bytes] | None = None
