"""After years tables are long: what is asked often finds what it asks for by an index."""

from typing import Any

import pytest

from fleet.db.pool import connect
from fleet.db.sql import load

CASES = {
    "dispatch looks whether the map is another": (
        ("api.dispatch", "people", "surroundings"),
        {},
        "cell_version_newest",
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
