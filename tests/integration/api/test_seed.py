"""Seeding the demo grid: at every start, and only what is not so yet is written."""

from typing import Any

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.passwords import matches
from api.seed import demo_accounts, seed
from fleet.db.pool import connect
from fleet.demo import DemoGrid, grid
from fleet.rules.shelf import Shelf
from tests.integration.api.world import GRID, password
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]
TABLES = (
    "region",
    "cell",
    "terminal",
    "terminal_cell",
    "technician",
    "technician_cell",
    "account",
)


@pytest.fixture
async def database(database_url: str) -> Any:
    """A connection to a database with nothing in it."""
    async with await connect(database_url, name="test", autocommit=True) as one:
        yield one


async def contents(database: Database) -> dict[str, list[Any]]:
    """Every row of every seeded table, with the transaction that wrote it last."""
    return {
        table: await (
            await database.execute(f"SELECT xmin::text, * FROM {table} ORDER BY 2, 3")
        ).fetchall()
        for table in TABLES
    }


async def seeded(database: Database, what: DemoGrid = GRID) -> None:
    await seed(database, what, demo_accounts(what, password))


async def test_everything_is_there_afterwards(database: Database) -> None:
    """Regions, cells, terminals in their cells, technicians with theirs, accounts that sign in."""
    await seeded(database)
    rows = await contents(database)
    counts = {table: len(found) for table, found in rows.items()}
    assert counts == {
        "region": 2,
        "cell": 6,  # with UNASSIGNED
        "terminal": 5,
        "terminal_cell": 5,
        "technician": 3,
        "technician_cell": 3,
        "account": 6,
    }
    cursor = await database.execute("SELECT username, role, password_hash FROM account")
    accounts = await cursor.fetchall()
    assert {(name, role) for name, role, _ in accounts} == {
        ("admin", "admin"),
        ("ops", "operations"),
        ("tester", "tester"),
        ("tech01", "technician"),
        ("tech02", "technician"),
        ("tech03", "technician"),
    }
    assert all(hash_.startswith("$argon2id$") for _, _, hash_ in accounts)
    assert all(matches(hash_, password(name)) for name, _, hash_ in accounts)


async def test_a_second_time_nothing_is_written(database: Database) -> None:
    """Not one row is touched, though it may run as often as one likes."""
    await seeded(database)
    before = await contents(database)
    await seeded(database)
    assert await contents(database) == before


async def test_a_larger_grid_adds_and_keeps_history(database: Database) -> None:
    """Terminals that the larger grid places elsewhere move now; where they were, they were."""
    small, large = grid(7, 12, 3), grid(7, 24, 6)
    await seeded(database, small)
    await seeded(database, large)
    query = "SELECT terminal.code, cell_code FROM terminal_cell JOIN terminal ON id = terminal_id"
    cursor = await database.execute(f"{query} WHERE upper_inf(valid)")
    now: dict[str, str] = dict(await cursor.fetchall())
    assert now == {terminal.code: terminal.cell for terminal in large.terminals}
    cursor = await database.execute(f"{query} WHERE NOT upper_inf(valid)")
    past: dict[str, str] = dict(await cursor.fetchall())
    moved = {
        before.code: before.cell
        for before, after in zip(small.terminals, large.terminals, strict=False)
        if before.cell != after.cell
    }
    assert past == moved
    assert moved
    cursor = await database.execute("SELECT count(*) FROM terminal")
    assert await cursor.fetchone() == (24,)


async def test_a_smaller_grid_takes_nothing_away(database: Database) -> None:
    """Started once with fewer terminals, the others are still there."""
    await seeded(database, grid(7, 24, 6))
    await seeded(database, grid(7, 12, 6))
    cursor = await database.execute("SELECT count(*) FROM terminal")
    assert await cursor.fetchone() == (24,)


async def test_a_password_is_reset_only_when_it_is_another(database: Database) -> None:
    """The stack's generated passwords are the truth; one that still fits keeps its hash."""
    await seeded(database)
    before = {row[1]: row for row in (await contents(database))["account"]}
    accounts = demo_accounts(GRID, lambda name: "new" if name == "ops" else password(name))
    await seed(database, GRID, accounts)
    cursor = await database.execute("SELECT username, password_hash FROM account")
    hashes: dict[str, str] = dict(await cursor.fetchall())
    assert matches(hashes["ops"], "new")
    after = {row[1]: row for row in (await contents(database))["account"]}
    unchanged = [key for key in before if before[key] == after[key]]
    assert len(unchanged) == len(before) - 1


async def test_collectors_are_told(database: Database, database_url: str) -> None:
    """They reload their registry."""
    async with await connect(database_url, name="collector", autocommit=True) as collector:
        await collector.execute("LISTEN registry")
        await seeded(database)
        told = [one.channel async for one in collector.notifies(timeout=PATIENCE_S, stop_after=1)]
    assert told == ["registry"]


async def test_every_cell_of_the_demo_has_branch_staff_for_the_first_line(
    database: Database,
) -> None:
    """What a rule gives to the first line finds somebody who signs in; engineers do the rest."""
    demo = grid(7, 24, 6)
    await seeded(database, demo)
    needed = {rule.skill for rule in Shelf(None).present().rules if rule.line == 1}
    cursor = await database.execute(
        "SELECT cell_code, technician.skills, account.username FROM technician"
        " JOIN technician_cell ON technician_cell.technician_id = technician.id"
        " JOIN account ON account.technician_id = technician.id"
        " WHERE technician.lines = '{1}'"
    )
    staff = await cursor.fetchall()
    assert {cell for cell, _, _ in staff} == {terminal.cell for terminal in demo.terminals}
    assert all(needed <= set(skills) for _, skills, _ in staff)
    assert {username for _, _, username in staff} >= {"branch01"}
    cursor = await database.execute("SELECT DISTINCT lines FROM technician WHERE code LIKE 'T%'")
    assert await cursor.fetchall() == [([2],)]


async def test_a_grid_that_was_drawn_stays_as_it_is_and_takes_new_terminals(
    database: Database,
) -> None:
    """A cell was renamed, another ended and its terminals moved: the next start undid all of it."""
    small = grid(1, 8, 2)
    await seeded(database, small)
    kept, gone = small.terminals[0].cell, small.terminals[1].cell
    for statement in (
        "INSERT INTO grid_version VALUES (DEFAULT, now(), 'somebody', '', '{}', '{}', '{}')",
        "UPDATE cell SET name = 'Harbour' WHERE code = %(kept)s",
        "UPDATE cell SET valid_to = clock_timestamp() WHERE code = %(gone)s",
        "DELETE FROM technician_cell WHERE cell_code = %(gone)s",
        "UPDATE terminal_cell SET cell_code = %(kept)s WHERE cell_code = %(gone)s",
        "UPDATE terminal SET site = 'Quay' WHERE code = %(moved)s",
    ):
        parameters = {"gone": gone, "kept": kept, "moved": small.terminals[1].code}
        await database.execute(statement, parameters)
    drawn = await contents(database)
    await seeded(database, small)
    assert await contents(database) == drawn
    await seeded(database, grid(1, 20, 2))
    after = await contents(database)
    assert after["cell"] == drawn["cell"]
    assert after["technician_cell"] == drawn["technician_cell"]
    assert len(after["terminal"]) == 20
    placed = "SELECT DISTINCT cell_code, method FROM terminal_cell"
    rows = await (await database.execute(placed)).fetchall()
    assert gone not in {cell for cell, _ in rows}
    assert ("UNASSIGNED", "unassigned") in rows
