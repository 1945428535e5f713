"""A technician sees their own cells and nothing else; every route of it is in `test_matrix`."""

from itertools import product
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, until
from tests.integration.api.world import CELL_OUTAGE, SomeFault, elsewhere, fire

Database = AsyncConnection[TupleRow]


@pytest.fixture
async def foreign(connection: Database, sign_in: SignIn) -> dict[str, list[str]]:
    """Cell C003 with open faults and tickets, beside some of C001; gives the keys of the foreign.

    By the name of the path's parameter, for each kind of thing.
    """
    assert callable(sign_in)
    await listening(connection)
    for fault in (SomeFault(), CELL_OUTAGE):
        await fire(connection, fault)
        await fire(connection, elsewhere(fault))

    async def raised() -> bool:
        cursor = await connection.execute("SELECT count(*) FROM ticket WHERE state = 'ASSIGNED'")
        return await cursor.fetchone() == (4,)

    await until(raised)
    return {
        "cells": ["C003", "D02"],
        "terminals": ["ATM-4", "KSK-5"],
        "faults": await keys(connection, "SELECT id FROM fault WHERE cell_code = 'C003'"),
        "tickets": await keys(connection, "SELECT id FROM ticket WHERE cell_code = 'C003'"),
    }


async def keys(connection: Database, query: str) -> list[str]:
    return [str(row[0]) for row in await (await connection.execute(query)).fetchall()]


async def test_counts_of_a_shared_answer_are_of_ones_own_cells(
    sign_in: SignIn, connection: Database, foreign: dict[str, list[str]]
) -> None:
    """T02 answers for a foreign cell too, says the database: T01 learns nothing of that."""
    assert foreign
    await connection.execute(
        "INSERT INTO technician_cell SELECT id, 'C003' FROM technician WHERE code = 'T02'"
    )
    await connection.execute(
        "UPDATE ticket SET technician_id = 2 WHERE cell_code = 'C003' AND scope = 'terminal'"
    )

    async def second(who: httpx.AsyncClient) -> dict[str, Any]:
        items = (await who.get("/api/v1/technicians")).json()["items"]
        return next(one for one in items if one["code"] == "T02")

    assert (await second(await sign_in("ops")))["cells"] == ["C003", "D01"]
    assert (await second(await sign_in("ops")))["to_do"] == 1
    assert (await second(await sign_in("tech01")))["cells"] == []
    assert (await second(await sign_in("tech01")))["to_do"] == 0


@pytest.mark.parametrize("username", ["ops", "admin", "tester"])
async def test_the_others_see_everything(
    sign_in: SignIn, foreign: dict[str, list[str]], username: str
) -> None:
    """Operations, admins and testers have no cells of their own: they see all."""
    client = await sign_in(username)
    for kind, count in {"cells": 6, "terminals": 5, "faults": 4, "tickets": 4}.items():
        items = (await client.get(f"/api/v1/{kind}")).json()["items"]
        assert len(items) == count
        for key, kind_ in product(foreign[kind], [kind]):
            assert (await client.get(f"/api/v1/{kind_}/{key}")).status_code == 200
