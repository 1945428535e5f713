"""Route × role × own and foreign cell, with either lock alone: nothing foreign is read or written.

The routes are those of the OpenAPI: a new one is in the matrix by being there. Where its path names
a kind of thing that the matrix does not know, the matrix fails until it is told.
"""

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.app import create_app
from api.events.feed import changes
from api.events.position import Position
from api.scheduled import lock_key
from api.scope import EVERYTHING, Locks, Presence, Scope, as_api, enter
from api.settings import Settings
from fleet.db.pool import connect
from tests.integration.api.conftest import client_of, token
from tests.integration.api.test_scheduled import listening, until
from tests.integration.api.world import CELL_OUTAGE, SomeFault, elsewhere, fire

Database = AsyncConnection[TupleRow]

# Everything by which cell C003 could be known: itself, its terminals, its technician, its region.
# Quoted, the technician's code is not found in an instant after three o'clock.
FOREIGN = ("C003", "D02", "ATM-4", "KSK-5", '"T03"', "Technician 03", "region-02")
# Not of cells: open to everybody, or to everybody with a role. The stream has a test of its own.
NO_CELLS_IN_IT = {
    "/healthz": "for operators",
    "/readyz": "for operators",
    "/metrics": "for operators",
    "/api/v1/token": "signing in",
    "/api/v1/me": "oneself",
    "/api/v1/me/position": "oneself",
    "/api/v1/sign-out": "oneself",
    "/api/v1/rules": "the same for all",
    "/api/v1/events": "a stream: see below",
    "/api/v1/grid/hexagons": "made of numbers that are given, of nothing stored",
}
SCOPED = ("tech01", "tech02")
EVERYONE = (*SCOPED, "ops", "admin", "tester")
# Things that both sides have a part in: they are found, without the other's part.
SHARED = {"schedules"}
# Windows and a schedule of both cells; their numbers are not those of tickets.
PLANS = b"""
    ALTER TABLE planned_window ALTER id RESTART WITH 1000;
    ALTER TABLE service_schedule_use ALTER id RESTART WITH 2000;
    INSERT INTO planned_window (purpose, cell_code, first, zone, author, reason)
    SELECT 'silence', cell, tstzrange(now(), now() + interval '1 hour'), 'UTC', 'ops', cell
    FROM unnest('{C001,C003}'::text[]) AS cell;
    INSERT INTO service_schedule VALUES ('shared', 'Shared', 'UTC', 'ops');
    INSERT INTO service_schedule_use (schedule_code, cell_code, valid, author, reason)
    SELECT 'shared', cell, tstzrange(now(), NULL), 'ops', cell
    FROM unnest('{C001,C003}'::text[]) AS cell;
"""
JOBS = ("follow_faults", "watch_clocks")
# What may be written meanwhile, whatever becomes of a request.
TRACES = {"idempotency_key", "audit_seal", "notification_place"}


@dataclass(frozen=True, slots=True)
class Side:
    """One side of the fence: the keys of its things, by kind, and what examples say instead."""

    keys: Mapping[str, list[str]]
    examples: Mapping[str, str]

    def body(self, operation: Mapping[str, Any]) -> Any:
        """The operation's own example of a request, about this side."""
        content = operation.get("requestBody", {}).get("content", {})
        media = content.get("application/json", {})
        shown = media.get("example") or _first(media.get("schema", {}))
        text = json.dumps(shown)
        for ours, theirs in self.examples.items():
            text = text.replace(ours, theirs)
        return json.loads(text)


def _first(schema: Mapping[str, Any]) -> Any:
    name = schema.get("$ref", "").rsplit("/", 1)[-1]
    found = _SCHEMAS.get(name, schema)
    return next(iter(found.get("examples", ())), found.get("example"))


_SCHEMAS: dict[str, Any] = {}


@pytest.fixture
async def sides(connection: Database, settings: Settings) -> tuple[Side, Side]:
    """Cell C001 and cell C003, each with open faults and tickets."""
    app = create_app(settings)
    _SCHEMAS.update(app.openapi()["components"]["schemas"])
    async with app.router.lifespan_context(app):
        await listening(connection)
        for fault in (SomeFault(), CELL_OUTAGE):
            await fire(connection, fault)
            await fire(connection, elsewhere(fault))

        async def raised() -> bool:
            cursor = await connection.execute("SELECT FROM ticket WHERE state = 'ASSIGNED'")
            return cursor.rowcount == 4

        await until(raised)
    await connection.execute(PLANS)
    return (
        await _side(connection, ["C001"], ["ATM-1", "ATM-2"], ["T01"]),
        await _side(connection, ["C003", "D02"], ["ATM-4", "KSK-5"], ["T03"]),
    )


async def _side(
    connection: Database, cells: list[str], terminals: list[str], technicians: list[str]
) -> Side:
    async def ids(table: str) -> list[str]:
        query = f"SELECT id FROM {table} WHERE cell_code = ANY(%s) ORDER BY id"
        cursor = await connection.execute(query.encode(), (cells,))
        return [str(key) for (key,) in await cursor.fetchall()]

    keys = {"cells": cells, "terminals": terminals, "technicians": technicians}
    keys |= {"faults": await ids("fault"), "tickets": await ids("ticket")}
    keys |= {"windows": await ids("planned_window"), "schedules": ["shared"]}
    keys |= {"accounts": [one.replace("T", "tech") for one in technicians]}
    examples = {"C001": cells[0], "ATM-0001": terminals[0], "T01": technicians[0]}
    return Side(keys, examples)


@pytest.fixture(params=[Locks.STATEMENTS, Locks.DATABASE], ids=["statements", "database"])
async def app(
    request: pytest.FixtureRequest, settings: Settings, sides: tuple[Side, Side]
) -> AsyncIterator[FastAPI]:
    """The api with one of its two locks; the engine believes that another process is at work."""
    assert sides
    async with AsyncExitStack() as stack:
        connecting = await connect(settings.database_url, name="elsewhere", autocommit=True)
        holder = await stack.enter_async_context(connecting)
        for job in JOBS:
            await holder.execute("SELECT pg_advisory_lock(%s)", (lock_key(job),))
        running = create_app(settings, locks=request.param)
        await stack.enter_async_context(running.router.lifespan_context(running))
        yield running


@pytest.fixture
async def people(app: FastAPI) -> AsyncIterator[dict[str, httpx.AsyncClient]]:
    """One of each role, signed in."""
    async with AsyncExitStack() as stack:
        clients = {}
        for username in EVERYONE:
            client = await stack.enter_async_context(client_of(app))
            client.headers["Authorization"] = f"Bearer {await token(client, username)}"
            clients[username] = client
        yield clients


def operations(app: FastAPI, *, reading: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every operation of the OpenAPI that has to do with cells."""
    for path, methods in app.openapi()["paths"].items():
        for method, operation in methods.items():
            if path not in NO_CELLS_IN_IT and (method == "get") is reading:
                yield method, path, operation


def urls(path: str, operation: Mapping[str, Any], side: Side) -> Iterator[str]:
    """A path with every key of a side in it; a collection plain, and by each of its filters."""
    if "{" in path:
        kind = kind_of(path)
        assert kind in side.keys, f"the matrix does not know what {path} is about: tell it"
        for key in side.keys[kind]:
            yield re.sub(r"\{\w+\}", "1", re.sub(r"\{\w+\}", key, path, count=1))
        return
    yield path
    filters = {one["name"] for one in operation.get("parameters", ()) if one["in"] == "query"}
    for name, kind in (("cell", "cells"), ("terminal", "terminals"), ("technician", "technicians")):
        for key in side.keys[kind] if name in filters else ():
            yield f"{path}?{name}={key}"
    for key in (*side.keys["terminals"], *side.keys["cells"]) if "q" in filters else ():
        yield f"{path}?q={key}"


def allowed(path: str, *, foreign: bool = False) -> set[int]:
    """What reading a path may be answered with; what some role may not read is 403 for it.

    Of a path with two keys only the first is of something that is there.
    """
    if "{" not in path or kind_of(path) in SHARED:
        return {200, 403}
    return {404, 403} if foreign else {200, 403} | ({404} if path.count("{") > 1 else set())


def kind_of(path: str) -> str:
    return path.removeprefix("/api/v1/").split("/")[0]


async def test_nothing_foreign_is_read(
    app: FastAPI, people: dict[str, httpx.AsyncClient], sides: tuple[Side, Side]
) -> None:
    """A foreign thing is not found; a collection has nothing foreign in it, however it is asked.

    Whoever has no cells of their own finds all of it: the walk does not pass by mistake.
    """
    _, foreign = sides
    numbers = [f'"id":{key},' for key in foreign.keys["tickets"]]
    secrets = [*FOREIGN, *foreign.keys["faults"], *numbers]
    for username, client in people.items():
        seen = ""
        for _, path, operation in operations(app, reading=True):
            for url in urls(path, operation, foreign):
                answer = await client.get(url)
                story = f"{username} {url}: {answer.text}"
                assert answer.status_code in allowed(path, foreign=username in SCOPED), story
                if username in SCOPED and answer.status_code == 200:
                    assert not [one for one in secrets if one in answer.text], story
                seen += answer.text
        assert username in SCOPED or all(secret in seen for secret in secrets), username


async def test_ones_own_is_read(
    app: FastAPI, people: dict[str, httpx.AsyncClient], sides: tuple[Side, Side]
) -> None:
    """Neither lock keeps anybody from what is theirs."""
    own, _ = sides
    for username, client in people.items():
        for _, path, operation in operations(app, reading=True):
            for url in urls(path, operation, own):
                answer = await client.get(url)
                assert answer.status_code in allowed(path), (username, url, answer.text)


async def test_nothing_foreign_is_written(
    app: FastAPI,
    people: dict[str, httpx.AsyncClient],
    sides: tuple[Side, Side],
    connection: Database,
) -> None:
    """Each write about a foreign thing is refused, and every row of every table is as it was."""
    _, foreign = sides
    before = await contents(connection)
    for username in SCOPED:
        for method, path, operation in operations(app, reading=False):
            for url in urls(path, operation, foreign):
                answer = await people[username].request(method, url, json=foreign.body(operation))
                story = f"{username} {method} {url}: {answer.text}"
                assert answer.status_code in {403, 404, 422}, story
                assert await contents(connection) == before, story


async def test_ones_own_is_written(
    app: FastAPI, people: dict[str, httpx.AsyncClient], sides: tuple[Side, Side]
) -> None:
    """The same requests about one's own are judged by what they ask: they are found, never 5xx."""
    own, _ = sides
    for username, client in people.items():
        for method, path, operation in operations(app, reading=False):
            for url in urls(path, operation, own):
                answer = await client.request(method, url, json=own.body(operation))
                story = f"{username} {method} {url}: {answer.text}"
                assert answer.status_code < 500, story
                assert path.count("{") != 1 or answer.status_code != 404, story


async def test_the_stream_tells_of_nothing_foreign(
    connection: Database, sides: tuple[Side, Side], settings: Settings
) -> None:
    """The feed of changes, with row-level security alone: its statement is told nothing."""
    own, _ = sides
    assert len(await changes(connection, EVERYTHING, Position.before("0"))) == 12
    async with await connect(as_api(settings.database_url), name="test") as scoped:
        await enter(scoped, Presence(Scope(tuple(own.keys["cells"])), "tech01"))
        told = await changes(scoped, EVERYTHING, Position.before("0"))
    assert {change.data.cell for change in told} == {"C001"}
    assert len(told) == 6


async def contents(connection: Database) -> dict[str, str]:
    """Every table, as a digest of its rows."""
    named = await connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
        " AND relkind IN ('r', 'p') ORDER BY relname"
    )
    tables = [name for (name,) in await named.fetchall() if name not in TRACES]
    query = " UNION ALL ".join(
        f"SELECT '{name}', md5(coalesce(string_agg(t::text, ',' ORDER BY t::text), ''))"
        f" FROM {name} AS t"
        for name in tables
    )
    return dict(await (await connection.execute(query.encode())).fetchall())
