"""Reads and adds remarks and attachments."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.accounts.caller import Caller
from api.errors import Conflict, NotFound
from api.remarks.file import File
from api.remarks.schemas import Attachment, NewRemark, Remark
from fleet.db.sql import load

MOST_ATTACHMENTS = 20
_SQL = load("api.remarks", "store")


async def remarks(
    connection: AsyncConnection[TupleRow], caller: Caller, ticket: int, after: int | None, rows: int
) -> Sequence[Remark]:
    """The next remarks of a ticket after an id, in order; raises `NotFound`."""
    await _existing(connection, caller, ticket)
    parameters = {"ticket": ticket, "after": after, "rows": rows, "scope": caller.scope.parameter}
    async with connection.cursor(row_factory=class_row(Remark)) as cursor:
        await cursor.execute(_SQL["remarks"], parameters)
        return await cursor.fetchall()


async def add_remark(
    connection: AsyncConnection[TupleRow], caller: Caller, ticket: int, wanted: NewRemark
) -> Remark:
    """Add a remark; raises `NotFound`."""
    await _existing(connection, caller, ticket)
    parameters = wanted.model_dump() | {"ticket": ticket, "author": caller.account.username}
    async with connection.cursor(row_factory=class_row(Remark)) as cursor:
        await cursor.execute(_SQL["add_remark"], parameters)
        [added] = await cursor.fetchall()
    return added


async def attachments(
    connection: AsyncConnection[TupleRow], caller: Caller, ticket: int
) -> Sequence[Attachment]:
    """The attachments of a ticket, in order; raises `NotFound`."""
    await _existing(connection, caller, ticket)
    parameters = {"ticket": ticket, "scope": caller.scope.parameter}
    async with connection.cursor(row_factory=class_row(Attachment)) as cursor:
        await cursor.execute(_SQL["attachments"], parameters)
        return await cursor.fetchall()


async def attach(
    connection: AsyncConnection[TupleRow], caller: Caller, ticket: int, file: File
) -> Attachment:
    """Add an attachment; raises `NotFound`, or `Conflict` when the ticket has enough."""
    await _existing(connection, caller, ticket)
    await connection.execute(_SQL["lock"], {"ticket": ticket})
    if len(await attachments(connection, caller, ticket)) >= MOST_ATTACHMENTS:
        raise Conflict(f"Ticket {ticket} has {MOST_ATTACHMENTS} attachments: that is the most.")
    parameters = {
        "ticket": ticket,
        "name": file.name,
        "media_type": file.media_type,
        "size": len(file.content),
        "sha256": file.sha256,
        "content": file.content,
        "author": caller.account.username,
    }
    async with connection.cursor(row_factory=class_row(Attachment)) as cursor:
        await cursor.execute(_SQL["attach"], parameters)
        [added] = await cursor.fetchall()
    return added


async def content(
    connection: AsyncConnection[TupleRow], caller: Caller, ticket: int, number: int
) -> File:
    """An attachment with its content; raises `NotFound`."""
    parameters = {"ticket": ticket, "number": number, "scope": caller.scope.parameter}
    async with connection.cursor(row_factory=class_row(File), binary=True) as cursor:
        await cursor.execute(_SQL["content"], parameters)
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("attachment", f"{number} of ticket {ticket}")
    return found


async def _existing(connection: AsyncConnection[TupleRow], caller: Caller, ticket: int) -> None:
    parameters = {"ticket": ticket, "scope": caller.scope.parameter}
    if await (await connection.execute(_SQL["is_ticket"], parameters)).fetchone() != (True,):
        raise NotFound("ticket", ticket)
