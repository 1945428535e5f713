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
    "all tickets of a terminal": (
        ("api.tickets", "store", "tickets"),
        dict.fromkeys(("id", "ids", "states", "open", "cell", "technician", "text", "patterns"))
        | EVERYBODY
        | {"terminal": "ATM-1", "after": None, "rows": 51},
        "ticket_terminal",
    ),
    "what somebody changed": (
        ("api.audit", "store", "entries"),
        {"after": None, "subject": None, "key": None, "actor": "ops", "rows": 51},
        "audit_actor",
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


_TICKETS = """
    INSERT INTO ticket (scope, subject, rule, item, cell_code, severity, component, title, remedy,
        skill, line)
    SELECT 'cell', 'UNASSIGNED', 'by_hand', number::text, 'UNASSIGNED', 'minor', 'cardReader',
        'Card jammed', '', 'card', 2
    FROM generate_series(1, 60) AS number
"""


async def test_a_word_that_all_tickets_say_is_not_looked_up(database_url: str) -> None:
    """The first page is full before any remark was read; the word of one remark is found."""
    asked = dict.fromkeys(
        ("id", "ids", "states", "open", "cell", "terminal", "technician", "after", "scope")
    )
    statement = load("api.tickets", "store")["tickets"]
    async with await connect(database_url, name="test") as connection:
        await connection.execute(_TICKETS.encode())
        page = asked | {"text": "card", "patterns": ["%card%"], "rows": 51}
        plan = await connection.execute(f"EXPLAIN ANALYZE {statement}".encode(), page)
        read = [line for (line,) in await plan.fetchall() if "ticket_remark" in line]
        assert read
        assert all("never executed" in line for line in read)
        await connection.execute(
            "INSERT INTO ticket_remark (ticket_id, kind, text, author)"
            " SELECT min(id), 'comment', 'The belt is torn', 'ops' FROM ticket"
        )
        for word in ("belt", "orn"):
            one = asked | {"text": word, "patterns": [f"%{word}%"], "rows": 51}
            found = await connection.execute(statement.encode(), one)
            assert len(await found.fetchall()) == 1
