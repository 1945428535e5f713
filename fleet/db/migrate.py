"""Migrations: forward-only files, each in one transaction, each remembered with its hash.

Who waits for a table that a long query reads has everybody wait who comes after it, those too who
only write a row. So a migration waits for a short while, gives way, and tries again.
"""

import asyncio
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources

import structlog
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

# Any fixed number will do: whoever holds it migrates, the others wait.
_LOCK = 7_355_608
_FILE = re.compile(r"(\d{4})_(\w+)\.sql")
_WAIT_S = 2.0  # for a table in use: so long nobody else gets at it either
_GIVE_WAY_S = 3.0
_ATTEMPTS = 60

log = structlog.get_logger()


class MigrationError(Exception):
    """The database and the files disagree; says which file and what to do."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of `fleet/db/migrations`."""

    version: int
    title: str
    statements: str

    @property
    def digest(self) -> str:
        """SHA-256 of the text, to notice a file changed after it ran."""
        return hashlib.sha256(self.statements.encode()).hexdigest()


def available() -> list[Migration]:
    """The migrations of this version, in order; raises `MigrationError` on a gap in the numbers."""
    found = []
    for file in resources.files("fleet.db").joinpath("migrations").iterdir():
        if named := _FILE.fullmatch(file.name):
            text = file.read_text(encoding="utf-8")
            found.append(Migration(int(named[1]), named[2], text))
    found.sort(key=lambda migration: migration.version)
    numbers = [migration.version for migration in found]
    if numbers != list(range(1, len(found) + 1)):
        raise MigrationError(f"migration files are numbered {numbers}: they must run 1, 2, 3, …")
    return found


async def migrate(
    connection: AsyncConnection[TupleRow], upto: int | None = None
) -> Sequence[Migration]:
    """Run what has not run yet, up to and with version `upto`; returns what ran.

    A database that was restored from another server is made to go on in this one.

    The connection must be in autocommit mode. Raises `MigrationError` when a file that already ran
    was changed, the database is newer than this program, or tables stay in use for minutes.
    """
    files = available()
    await connection.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
    try:
        done = await _done(connection)
        _check(files, done)
        ran = [
            migration
            for migration in files[len(done) :]
            if upto is None or migration.version <= upto
        ]
        for migration in ran:
            await _run_in_time(connection, migration)
        if len(done) + len(ran) == len(files):
            await connection.execute("SELECT number_transactions_anew()")
    finally:
        if not connection.closed:  # its end let go of the lock
            await connection.execute("SELECT pg_advisory_unlock(%s)", (_LOCK,))
    return ran


async def check(connection: AsyncConnection[TupleRow]) -> None:
    """Raise `MigrationError` where the database is not of this program's version; says what to do.

    Of another version nothing can be said: what is stored there may mean something else.
    """
    cursor = await connection.execute("SELECT to_regclass('schema_migration')")
    known = await cursor.fetchone() != (None,)
    files, done = available(), await _stored(connection) if known else []
    _check(files, done)
    if len(done) < len(files):
        raise MigrationError(
            f"the database is at version {len(done)}, this program needs {len(files)}:"
            " run tellergrid init"
        )


async def _done(connection: AsyncConnection[TupleRow]) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (version integer PRIMARY KEY,"
        " title text NOT NULL, digest text NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
    )
    return await _stored(connection)


async def _stored(connection: AsyncConnection[TupleRow]) -> list[str]:
    cursor = await connection.execute("SELECT digest FROM schema_migration ORDER BY version")
    return [row[0] for row in await cursor.fetchall()]


def _check(files: list[Migration], done: list[str]) -> None:
    if len(done) > len(files):
        raise MigrationError(
            f"the database is at version {len(done)}, this program knows {len(files)}: upgrade it"
        )
    for migration, digest in zip(files, done, strict=False):
        if migration.digest != digest:
            raise MigrationError(
                f"migration {migration.version:04d}_{migration.title} was changed after it ran:"
                " put the file back as it was and write a new one"
            )


async def _run_in_time(connection: AsyncConnection[TupleRow], migration: Migration) -> None:
    name = f"{migration.version:04d}_{migration.title}"
    for attempt in range(_ATTEMPTS):
        try:
            await _run(connection, migration)
        except (errors.LockNotAvailable, errors.DeadlockDetected):
            busy = await _busy(connection)
            log.warning("a migration gives way", migration=name, attempt=attempt + 1, busy=busy)
            await asyncio.sleep(_GIVE_WAY_S)
        else:
            return
    raise MigrationError(
        f"migration {name} needs tables that others have in use; longest at work are {busy}:"
        " let them finish, or end them with pg_terminate_backend, and migrate again"
    )


async def _busy(connection: AsyncConnection[TupleRow]) -> str:
    """Who has been in a transaction for longest, a backup perhaps: whom we most likely wait for."""
    cursor = await connection.execute(
        "SELECT format('%s (%s, since %s)', pid, application_name, xact_start::timestamptz(0))"
        " FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        " ORDER BY xact_start LIMIT 3"
    )
    return ", ".join([row[0] for row in await cursor.fetchall()]) or "nobody now"


async def _run(connection: AsyncConnection[TupleRow], migration: Migration) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL lock_timeout = '{_WAIT_S}s'".encode())
        await connection.execute(migration.statements)
        await connection.execute(
            "INSERT INTO schema_migration (version, title, digest) VALUES (%s, %s, %s)",
            (migration.version, migration.title, migration.digest),
        )
