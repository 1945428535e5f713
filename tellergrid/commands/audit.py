"""`tellergrid audit`: prove from the stored rows that nothing was lost and nothing doubled."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from fleet.db.pool import connect
from tellergrid.audit.loss import Account, Journal, JournalError, account, read_journal
from tellergrid.console import aside, explained, output
from tellergrid.stack.reach import database_url

app = typer.Typer(help="Proofs from the stored rows themselves.", no_args_is_help=True)

_NOT_EXACT = 1
_CANNOT_SAY = 2


@app.command()
def loss(
    terminal: Annotated[str | None, typer.Argument(help="One terminal; without it, all.")] = None,
    journal: Annotated[
        Path | None,
        typer.Option(help="What the senders say they sent: the simulator's state file."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Also the terminals with nothing to complain of.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Print, per terminal and boot, what was sent, stored, doubled, missing.

    Counted from the rows, not from what the collector says. A message that went to quarantine is
    missing here: tellergrid has it, but not as telemetry. Ends with 0 when every message is
    stored once, 1 when not, 2 when it cannot say.
    """
    with explained():
        try:
            said = read_journal(journal) if journal else None
        except JournalError as error:
            aside.print(f"[red]error:[/] {error}")
            raise typer.Exit(_CANNOT_SAY) from error
        accounts = asyncio.run(_read(terminal, said))
    exact = all(each.exact for each in accounts)
    if as_json:
        body = {"exact": exact, "total": _total(accounts), "terminals": accounts}
        output.print_json(data=msgspec.to_builtins(body))
    else:
        _show(accounts, every=every)
    if not exact:
        raise typer.Exit(_NOT_EXACT)


async def _read(terminal: str | None, said: Journal | None) -> list[Account]:
    async with await connect(database_url(), name="audit", autocommit=True) as connection:
        return await account(connection, terminal, said)


def _total(accounts: Sequence[Account]) -> dict[str, int]:
    fields = ("sent", "stored", "doubled", "missing", "dropped")
    return {name: sum(getattr(each, name) for each in accounts) for name in fields}


def _show(accounts: Sequence[Account], *, every: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("terminal", "boot", "sent", "stored", "doubled", "missing", "dropped"):
        table.add_column(name, justify="left" if name == "terminal" else "right")
    for each in accounts:
        if every or not each.exact:
            table.add_row(*(str(getattr(each, name)) for name in each.__struct_fields__))
    total = _total(accounts)
    table.add_row("all", "", *(str(value) for value in total.values()), style="bold")
    output.print(table)
