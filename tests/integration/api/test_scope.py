"""A technician sees their own cells and nothing else, wherever they look."""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, until
from tests.integration.api.world import CELL_OUTAGE, SomeFault, elsewhere, fire

Database = AsyncConnection[TupleRow]

# Everything by which cell C003 could be known: itself, its terminals, its technician, its region.
# Quoted, the technician's code is not found in an instant after three o'clock.
FOREIGN = ("C003", "D02", "ATM-4", "KSK-5", '"T03"', "Technician 03", "region-02")
NO_CELLS_IN_IT = {"/api/v1/me", "/api/v1/rules", "/api/v1/events"}
FOR_OPERATORS = {"/healthz", "/readyz", "/metrics"}


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


def reading_routes(app: FastAPI) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every path that is read, with its operation in OpenAPI."""
    for path, operations in app.openapi()["paths"].items():
        if "get" in operations and path not in FOR_OPERATORS | NO_CELLS_IN_IT:
            yield path, operations["get"]


def urls(path: str, operation: dict[str, Any], foreign: dict[str, list[str]]) -> Iterator[str]:
    """A path with every foreign key in it; a collection plain, and filtered by what is foreign."""
    if "{" in path:
        kind = path.removeprefix("/api/v1/").split("/")[0]
        for key in foreign[kind]:
            yield re.sub(r"\{\w+\}", key, path)
        return
    yield path
    filters = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    values = {
        "cell": foreign["cells"],
        "terminal": foreign["terminals"],
        "technician": ["T03"],
        "q": ["ATM-4", "C003"],
    }
    for name in filters & values.keys():
        for value in values[name]:
            yield f"{path}?{name}={value}"


async def test_no_route_shows_a_foreign_cell(
    app: FastAPI, sign_in: SignIn, foreign: dict[str, list[str]]
) -> None:
    """Walk every route that is read, as the technician of C001 and of the district above it.

    A foreign thing is not found; a collection has nothing foreign in it, however it is asked.
    """
    secrets = [*FOREIGN, *foreign["faults"], *(f'"id":{key},' for key in foreign["tickets"])]
    for username in ("tech01", "tech02"):
        client = await sign_in(username)
        for path, operation in reading_routes(app):
            for url in urls(path, operation, foreign):
                answer = await client.get(url)
                story = f"{username} {url}: {answer.text}"
                assert answer.status_code == (404 if "{" in path else 200), story
                if "{" not in path:
                    found = [secret for secret in secrets if secret in answer.text]
                    assert not found, story


async def test_the_walk_would_notice(
    app: FastAPI, sign_in: SignIn, foreign: dict[str, list[str]]
) -> None:
    """The same walk by operations finds everything: the one above does not pass by mistake."""
    client = await sign_in("ops")
    seen = ""
    for path, operation in reading_routes(app):
        for url in urls(path, operation, foreign):
            answer = await client.get(url)
            assert answer.status_code == 200, (url, answer.text)
            seen += answer.text
    for secret in FOREIGN:
        assert secret in seen


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
