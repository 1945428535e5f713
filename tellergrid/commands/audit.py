"""`tellergrid audit`: prove from the stored rows that nothing was lost, doubled or altered."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.markup import escape
from rich.table import Table

from api.audit.sealing import HEADS
from fleet.chain import SignedHead, is_key, public_key
from fleet.db.pool import connect
from tellergrid.audit.chain import HeadsError, Verdict, read_heads
from tellergrid.audit.chain import verify as verify_chain
from tellergrid.audit.loss import Account, Journal, JournalError, account, read_journal
from tellergrid.console import aside, explained, output, refuse
from tellergrid.settings import Settings
from tellergrid.stack.errors import StackError
from tellergrid.stack.home import Home, existing_home
from tellergrid.stack.reach import database_url
from tellergrid.stack.vault import Vault

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
    missing here: tellergrid has it, but not as telemetry. Where a counter jumps by over a million
    numbers they are not missing but a jump: what was sent there cannot be told. Ends with 0 when
    every message is stored once, 1 when not, 2 when it cannot say.
    """
    with explained(_CANNOT_SAY):
        try:
            said = read_journal(journal) if journal else None
        except JournalError as error:
            refuse(error)
            raise typer.Exit(_CANNOT_SAY) from error
        accounts = asyncio.run(_read(terminal, said))
    if terminal is not None and not accounts:
        refuse(f"nothing was ever heard of {terminal}: whether anything is missing cannot be said")
        raise typer.Exit(_CANNOT_SAY)
    exact = all(each.exact for each in accounts)
    if as_json:
        body = {"exact": exact, "total": _total(accounts), "terminals": accounts}
        output.print_json(data=msgspec.to_builtins(body))
    else:
        _show(accounts, every=every)
    if not exact:
        raise typer.Exit(_NOT_EXACT)


@app.command()
def verify(
    heads: Annotated[
        list[Path] | None,
        typer.Option(help="Files of exported heads; by default those of the stack here."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(help="The public key, as `tellergrid audit key` prints it."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Follow the audit's chain of hashes and hold it against the signed heads that were exported.

    Finds every entry that was edited, deleted, moved, put in between or cut off, up to the last
    exported head. Ends with 0 when the chain is sound, 1 when not, 2 when it cannot say: there is
    no head, or it or the database cannot be read.
    """
    if key is not None and not is_key(key):
        raise typer.BadParameter(
            "is 64 hexadecimal digits, as audit key prints", param_hint="--key"
        )
    with explained(_CANNOT_SAY):
        try:
            exported = read_heads(heads or [_home().audit / HEADS])
            public = key or _public_key()
        except (HeadsError, StackError) as error:
            refuse(error)
            raise typer.Exit(_CANNOT_SAY) from error
        verdict = asyncio.run(_verify(exported, public))
    if as_json:
        output.print_json(data=msgspec.to_builtins(verdict))
    else:
        _show_verdict(verdict)
    if not verdict.sound:
        raise typer.Exit(_NOT_EXACT)
    if not verdict.heads:
        aside.print("no head was exported yet: whether anything was cut off cannot be said")
        raise typer.Exit(_CANNOT_SAY)


@app.command()
def key() -> None:
    """Print the public key of the exported heads, for whoever checks them elsewhere."""
    with explained():
        output.print(_public_key())


def _home() -> Home:
    home = existing_home(Settings().home)
    if home is None:
        raise StackError("there is no stack here: name the files with --heads.")
    return home


def _public_key() -> str:
    given = Settings().audit_key
    return public_key(Vault(_home().secrets).audit if given is None else given.get_secret_value())


async def _verify(exported: Sequence[SignedHead], public: str) -> Verdict:
    async with await connect(database_url(), name="audit") as connection:
        return await verify_chain(connection, exported, public)


def _show_verdict(verdict: Verdict) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("at", "", "found"):
        table.add_column(name)
    for finding in verdict.findings:
        table.add_row(str(finding.place), finding.kind, escape(finding.detail), style="red")
    if verdict.findings:
        output.print(table)
    said = "sound" if verdict.sound else "[red]not sound[/]"
    output.print(
        f"{said}: {verdict.entries:,} sealed entries, {verdict.waiting:,} waiting, "
        f"{verdict.heads:,} heads, the last of {verdict.last_head or 'never'}"
    )


async def _read(terminal: str | None, said: Journal | None) -> list[Account]:
    async with await connect(database_url(), name="audit", autocommit=True) as connection:
        return await account(connection, terminal, said)


def _total(accounts: Sequence[Account]) -> dict[str, int]:
    fields = ("sent", "stored", "doubled", "missing", "jumps", "dropped")
    return {name: sum(getattr(each, name) for each in accounts) for name in fields}


def _show(accounts: Sequence[Account], *, every: bool) -> None:
    table = Table(box=None, pad_edge=False)
    for name in Account.__struct_fields__:
        table.add_column(name, justify="left" if name == "terminal" else "right")
    for each in accounts:
        if every or not each.exact:
            table.add_row(*(str(getattr(each, name)) for name in each.__struct_fields__))
    total = _total(accounts)
    table.add_row("all", "", *(str(value) for value in total.values()), style="bold")
    output.print(table)
