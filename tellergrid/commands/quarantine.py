"""`tellergrid quarantine`: what was set aside, why, and saying it again."""

import asyncio
import base64
import os
from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from collector import quarantine
from collector.quarantine import Entry, Kept, NotReplayableError
from fleet.db.pool import connect
from fleet.mqtt import (
    Connection,
    Message,
    MessageRefused,
    MqttError,
    PublicationRefused,
    Session,
)
from fleet.mqtt import connect as connect_broker
from fleet.quarantine import Reason
from tellergrid.console import aside, explained, output
from tellergrid.stack.errors import StackError
from tellergrid.stack.reach import broker, database_url

app = typer.Typer(help="Messages that were set aside.", no_args_is_help=True)

_NOT_DONE = 1
_AT_ONCE = 100_000

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]
ByReason = Annotated[Reason | None, typer.Option(help="Only those of this reason.")]
ByTerminal = Annotated[str | None, typer.Option(help="Only those on this terminal's topics.")]


@app.command(name="list")
def list_entries(
    reason: ByReason = None,
    terminal: ByTerminal = None,
    waiting: Annotated[
        bool, typer.Option("--waiting", help="Only those that can be replayed and were not.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, help="How many, the latest first.")] = 50,
    as_json: AsJson = False,
) -> None:
    """Show what was set aside, the latest first."""
    with explained():
        entries = asyncio.run(_list(reason, terminal, limit, waiting=waiting))
    if as_json:
        output.print_json(data=msgspec.to_builtins(entries))
        return
    table = Table(box=None, pad_edge=False)
    for name in ("id", "arrived", "reason", "topic", "detail", ""):
        table.add_column(name, overflow="fold")
    for each in entries:
        arrived = f"{each.arrived_at:%Y-%m-%d %H:%M:%S}"
        # What a stranger sent is text, never markup.
        row = (str(each.id), arrived, each.reason, each.topic, each.detail, _state(each))
        table.add_row(*map(Text, row))
    output.print(table)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="As in the list.")],
    as_json: AsJson = False,
) -> None:
    """Show one message with what is kept of its payload; ends with 1 where there is none."""
    with explained():
        kept = asyncio.run(_find(number))
    if kept is None:
        aside.print(f"{number}: there is none of that number")
        raise typer.Exit(_NOT_DONE)
    if as_json:
        output.print_json(data=msgspec.to_builtins(kept.entry) | _payload(kept.payload))
        return
    for name, value in msgspec.to_builtins(kept.entry).items():
        typer.echo(f"{name:<12} {'' if value is None else value}")
    typer.echo(kept.payload.decode(errors="backslashreplace"))


@app.command()
def replay(
    numbers: Annotated[
        list[int] | None, typer.Argument(metavar="ID...", help="As in the list.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All that were not replayed yet.")] = False,
    reason: ByReason = None,
    terminal: ByTerminal = None,
    as_json: AsJson = False,
) -> None:
    """Say messages again, each on its own topic: they arrive anew.

    One that was masked or cut cannot be said again. Ends with 1 when any was not, 2 when it was not
    said which.
    """
    if bool(numbers) == every:
        raise typer.BadParameter("say which: either their numbers, or --all")
    with explained():
        try:
            refused = asyncio.run(_replay(numbers or [], reason, terminal))
        except MqttError as error:
            raise StackError(f"the broker cannot be reached: {error}") from error
    if as_json:
        output.print_json(data=refused)
    else:
        for each in refused["refused"]:
            aside.print(each, markup=False)
        output.print(f"{len(refused['replayed'])} replayed, {len(refused['refused'])} not")
    if refused["refused"]:
        raise typer.Exit(_NOT_DONE)


async def _list(
    reason: Reason | None, terminal: str | None, limit: int, *, waiting: bool
) -> list[Entry]:
    async with await connect(database_url(), name="quarantine", autocommit=True) as connection:
        return await quarantine.listed(
            connection, reason=reason, terminal=terminal, waiting=waiting, limit=limit
        )


async def _find(number: int) -> Kept | None:
    async with await connect(database_url(), name="quarantine", autocommit=True) as connection:
        return await quarantine.find(connection, number)


async def _replay(
    numbers: list[int], reason: Reason | None, terminal: str | None
) -> dict[str, list[int | str]]:
    if not numbers:
        waiting = await _list(reason, terminal, _AT_ONCE, waiting=True)
        numbers = [each.id for each in reversed(waiting)]
    done: list[int | str] = []
    refused: list[int | str] = []
    session = Session(f"tellergrid-quarantine-{os.getpid()}")
    line = await connect_broker(broker(), session, _ignored)
    try:
        async with await connect(database_url(), name="quarantine", autocommit=True) as connection:
            for number in numbers:
                try:
                    await quarantine.replay(connection, number, line.publish)
                    done.append(number)
                except NotReplayableError as error:
                    refused.append(str(error))
                except (MessageRefused, PublicationRefused, ValueError) as error:
                    refused.append(f"{number}: {error}")
    finally:
        await line.disconnect()
    return {"replayed": done, "refused": refused}


def _ignored(_connection: Connection, _message: Message) -> None:
    """Nothing is subscribed to."""


def _state(each: Entry) -> str:
    if each.replayed_at is not None:
        return "replayed"
    return "" if each.whole else "masked or cut"


def _payload(payload: bytes) -> dict[str, str]:
    try:
        return {"payload": payload.decode()}
    except UnicodeDecodeError:
        return {"payload_base64": base64.b64encode(payload).decode()}
