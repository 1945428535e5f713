"""Accounts as admins keep them: made, disabled, given another password or role."""

import asyncio
from collections.abc import Sequence

from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow, class_row

from api.accounts.attempts import one_at_a_time
from api.accounts.passwords import hashed
from api.accounts.schemas import Account, AccountChange, NewAccount
from api.accounts.sessions import end_all
from api.errors import Conflict, Invalid, NotFound
from fleet.db.sql import load
from fleet.tickets.lifecycle import Role

_SQL = load("api.accounts", "management")


async def accounts(
    connection: AsyncConnection[TupleRow], after: str | None, rows: int
) -> Sequence[Account]:
    """The next accounts after a username, by username."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_SQL["accounts"], {"username": None, "after": after, "rows": rows})
        return await cursor.fetchall()


async def account(connection: AsyncConnection[TupleRow], username: str) -> Account:
    """One account; raises `NotFound`."""
    async with connection.cursor(row_factory=class_row(Account)) as cursor:
        await cursor.execute(_SQL["accounts"], {"username": username, "after": None, "rows": 1})
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("account", username)
    return found


async def create(connection: AsyncConnection[TupleRow], wanted: NewAccount) -> Account:
    """A new account; raises `Conflict` when there is one of that name, or of one that is alike."""
    if (wanted.role == Role.TECHNICIAN.value) != (wanted.technician is not None):
        raise Invalid("body.technician", "is for the role technician, and needed for it")
    parameters = {
        "username": wanted.username,
        "password_hash": await asyncio.to_thread(hashed, wanted.password.get_secret_value()),
        "role": wanted.role,
        "service": wanted.service,
        "technician": wanted.technician,
    }
    await _have_none_alike(connection, wanted.username)
    try:
        cursor = await connection.execute(_SQL["create"], parameters)
    except errors.UniqueViolation:
        raise Conflict(f"There is an account {wanted.username}, or of that technician.") from None
    if not cursor.rowcount:
        raise Invalid("body.technician", f"there is no technician {wanted.technician}")
    return await account(connection, wanted.username)


async def change(
    connection: AsyncConnection[TupleRow], username: str, wanted: AccountChange
) -> Account:
    """Disable, enable, or set a password; the first and the last end all sessions.

    Raises `NotFound`, and `Conflict` for the last admin, whom nobody could enable again.
    """
    await account(connection, username)
    secret = wanted.password
    fresh = None
    if secret is not None:
        fresh = await asyncio.to_thread(hashed, secret.get_secret_value())
    await one_at_a_time(connection, username)
    if wanted.disabled:
        await _leave_an_admin(connection, username)
    parameters = {"username": username, "disabled": wanted.disabled, "password_hash": fresh}
    await connection.execute(_SQL["change"], parameters)
    if wanted.disabled or fresh:
        await end_all(connection, username)
    return await account(connection, username)


async def _leave_an_admin(connection: AsyncConnection[TupleRow], username: str) -> None:
    admins = await (await connection.execute(_SQL["admins"])).fetchall()
    if admins == [(username,)]:
        raise Conflict(f"{username} is the last admin who is not disabled: make another first.")


async def _have_none_alike(connection: AsyncConnection[TupleRow], username: str) -> None:
    """Who reads the audit takes `Ops` for `ops`; accounts that are so since before stay."""
    parameters = {"username": username, "folded": username.lower()}  # it is ASCII
    await connection.execute(_SQL["lock"], parameters)
    found = await (await connection.execute(_SQL["alike"], parameters)).fetchone()
    if found is not None:
        raise Conflict(f"There is an account {found[0]}: names differ by more than case.")
