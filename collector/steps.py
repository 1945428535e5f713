"""Steps of holds that wait to be told in order: how they are written, and read back."""

from collections import defaultdict
from datetime import datetime

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.rules.changes import Cleared, Flapped, Rated
from fleet.rules.hold import Hold
from fleet.rules.steps import Fire, Step, Word

_SQL = load("collector", "steps")
_WORDS: dict[str, type[Word]] = {
    "fire": Fire,
    "rated": Rated,
    "cleared": Cleared,
    "flapped": Flapped,
}
_NAMES = {kind: name for name, kind in _WORDS.items()}

Untold = dict[int, dict[int, Step]]
"""By terminal, then by place."""
Row = tuple[datetime, str, str, str | None, str | None, str | None, bool | None, bool]


def stored(step: Step) -> Row:
    """What is written of a step, but for whose it is and its place."""
    return (
        step.at,
        step.rule,
        step.item,
        _text(step.before),
        None if step.word is None else _NAMES[type(step.word)],
        _text(step.word),
        step.serves,
        step.counted,
    )


async def untold(connection: AsyncConnection[TupleRow], region: str) -> Untold:
    """The steps that wait."""
    found: Untold = defaultdict(dict)
    cursor = await connection.execute(_SQL["untold"], {"region": region})
    async for terminal_id, place, at, rule, item, before, word, said, serves, counted in cursor:
        found[terminal_id][place] = Step(
            at,
            rule,
            item,
            None if before is None else msgspec.json.decode(before, type=Hold),
            word=None if word is None else msgspec.json.decode(said, type=_WORDS[word]),
            serves=serves,
            counted=counted,
        )
    return found


def _text(value: Hold | Word | None) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
