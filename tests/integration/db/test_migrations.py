"""Migrations: stepwise and fresh agree, a changed file is noticed, two runners do not collide."""

import asyncio
from dataclasses import replace

import pytest

from fleet.db import migrate as migration
from fleet.db.migrate import MigrationError, available, migrate
from fleet.db.pool import connect

_SHAPE = """
SELECT 'column', table_name, column_name, data_type, is_nullable, coalesce(column_default, '')
FROM information_schema.columns WHERE table_schema = 'public'
UNION ALL
SELECT 'index', tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL
SELECT 'constraint', conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', ''
FROM pg_constraint WHERE connamespace = 'public'::regnamespace
ORDER BY 1, 2, 3, 4
"""


async def shape(url: str) -> list[tuple[object, ...]]:
    """Everything of the schema that a program could notice."""
    async with await connect(url, name="test", autocommit=True) as connection:
        return await (await connection.execute(_SHAPE)).fetchall()


async def test_stepwise_and_fresh_give_the_same_schema(
    empty_database_url: str, database_url: str
) -> None:
    """One version at a time, as years of upgrades do, ends where a new installation begins."""
    async with await connect(empty_database_url, name="test", autocommit=True) as connection:
        for each in available():
            ran = await migrate(connection, upto=each.version)
            assert [one.version for one in ran] == [each.version]
        assert await migrate(connection) == []
    assert await shape(empty_database_url) == await shape(database_url)


async def test_a_file_changed_after_it_ran_is_noticed(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = [replace(available()[0], statements="SELECT 1"), *available()[1:]]
    monkeypatch.setattr(migration, "available", lambda: changed)
    async with await connect(database_url, name="test", autocommit=True) as connection:
        with pytest.raises(MigrationError, match=r"0001_grid was changed"):
            await migrate(connection)


async def test_a_newer_database_is_refused(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fewer = available()[:-1]
    monkeypatch.setattr(migration, "available", lambda: fewer)
    async with await connect(database_url, name="test", autocommit=True) as connection:
        with pytest.raises(MigrationError, match="upgrade it"):
            await migrate(connection)


async def test_two_that_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    async def run() -> int:
        async with await connect(empty_database_url, name="test", autocommit=True) as connection:
            return len(await migrate(connection))

    assert sorted(await asyncio.gather(run(), run())) == [0, len(available())]
