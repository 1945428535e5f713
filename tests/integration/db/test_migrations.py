"""Migrations: stepwise and fresh agree, a changed file is noticed, two runners do not collide."""

import asyncio
from dataclasses import replace

import pytest
from psycopg import errors

from fleet.db import migrate as migration
from fleet.db.migrate import Migration, MigrationError, available, migrate
from fleet.db.pool import connect
from tests.integration.api.test_scheduled import until
from tests.machine import PATIENCE_S

_FILES = available()
_CHANGING = Migration(len(_FILES) + 1, "change", "ALTER TABLE late_message ADD fresh integer")

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


async def test_a_server_that_ends_meanwhile_is_what_is_told(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended = replace(_CHANGING, statements="SELECT pg_terminate_backend(pg_backend_pid())")
    monkeypatch.setattr(migration, "available", lambda: [*_FILES, ended])
    async with await connect(database_url, name="test", autocommit=True) as connection:
        with pytest.raises(errors.AdminShutdown, match="terminating connection"):
            await migrate(connection)


async def test_two_that_migrate_at_once_do_it_once(empty_database_url: str) -> None:
    async def run() -> int:
        async with await connect(empty_database_url, name="test", autocommit=True) as connection:
            return len(await migrate(connection))

    assert sorted(await asyncio.gather(run(), run())) == [0, len(available())]


async def test_a_migration_behind_a_long_query_lets_others_write(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup reads every table for an hour. A migration that waits for one of them would have
    the collectors wait behind it for as long; it gives way, and is done when the backup is."""
    monkeypatch.setattr(migration, "available", lambda: [*_FILES, _CHANGING])
    monkeypatch.setattr(migration, "_GIVE_WAY_S", 0.2)
    async with (
        await connect(database_url, name="backup") as backup,
        await connect(database_url, name="writer", autocommit=True) as writer,
        await connect(database_url, name="test", autocommit=True) as connection,
    ):
        await backup.execute("SELECT FROM late_message")
        migrating = asyncio.create_task(migrate(connection))
        waiting = "SELECT FROM pg_locks WHERE NOT granted AND pid = %s"

        async def is_waiting() -> bool:
            cursor = await writer.execute(waiting, (connection.info.backend_pid,))
            return await cursor.fetchone() is not None

        await until(is_waiting)
        try:
            async with asyncio.timeout(PATIENCE_S):
                await writer.execute("DELETE FROM late_message")
            assert not migrating.done()
        finally:
            await backup.rollback()
        assert [each.version for each in await migrating] == [_CHANGING.version]


async def test_tables_that_stay_in_use_are_an_error_that_says_by_whom(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration, "available", lambda: [*_FILES, _CHANGING])
    monkeypatch.setattr(migration, "_WAIT_S", 0.1)
    monkeypatch.setattr(migration, "_GIVE_WAY_S", 0.1)
    monkeypatch.setattr(migration, "_ATTEMPTS", 2)
    async with (
        await connect(database_url, name="backup") as backup,
        await connect(database_url, name="test", autocommit=True) as connection,
    ):
        await backup.execute("SELECT FROM late_message")
        with pytest.raises(MigrationError, match=r"needs tables .* \(tellergrid-backup, since"):
            await migrate(connection)
        await backup.rollback()
        assert [each.version for each in await migrate(connection)] == [_CHANGING.version]
