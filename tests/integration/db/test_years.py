"""After years tables are long: what is asked often finds what it asks for by an index."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from fleet.db.pool import connect
from fleet.db.sql import load

EVERYBODY = {"scope": None}
FAULT = EVERYBODY | {"id": uuid4()}
CASES = {
    "dispatch looks whether the map is another": (
        ("api.dispatch", "people", "surroundings"),
        {},
        "cell_version_newest",
    ),
    "a fault is shown": (("api.faults", "store", "changes"), FAULT, "fault_change_fault"),
    "faults of a rule": (
        ("api.faults", "store", "faults"),
        dict.fromkeys(("id", "open", "cell", "terminal", "severity", "after_at", "after_id"))
        | EVERYBODY
        | {"rule": "rare", "rows": 51},
        "fault_rule",
    ),
    "whom a cell's fault spoke for": (
        ("fleet.db", "explaining", "members"),
        FAULT | {"rules": ["rare"]},
        "fault_spoken_for",
    ),
    "the broker is away": (
        ("collector", "incident", "begin"),
        FAULT
        | dict.fromkeys(("subject", "rule", "title", "remedy"), "x")
        | dict.fromkeys(("started_at", "fired_at", "until"), datetime(2026, 11, 30, tzinfo=UTC)),
        "fault_platform",
    ),
}


@pytest.mark.parametrize(("statement", "asked", "index"), CASES.values(), ids=CASES)
async def test_it_is_found_by_an_index(
    database_url: str, statement: tuple[str, str, str], asked: dict[str, Any], index: str
) -> None:
    """Where the planner is not kept from it by an empty table."""
    package, file, name = statement
    async with await connect(database_url, name="test") as connection:
        await connection.execute("SET LOCAL enable_seqscan = off")
        explained = "EXPLAIN " + load(package, file)[name]
        plan = await (await connection.execute(explained.encode(), asked)).fetchall()
        assert index in str(plan)
