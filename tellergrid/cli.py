"""The command `tellergrid`: one module a command in `tellergrid/commands`, put together here."""

import typer

from tellergrid.commands import (
    audit,
    bench,
    cells,
    clean,
    contract,
    down,
    hands,
    init,
    login,
    logs,
    quarantine,
    rules,
    simulate,
    status,
    terminals,
    up,
    uptime,
)

app = typer.Typer(
    name="tellergrid",
    help="Watches a bank's self-service terminals, grid cell by grid cell.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they would hold passwords
)
app.command()(up.up)
app.command()(down.down)
app.command()(status.status)
app.command()(login.login)
app.command()(logs.logs)
app.command()(init.init)
app.command()(clean.clean)
app.command()(simulate.simulate)
app.command("break")(hands.break_)
app.command()(hands.repair)
app.command()(uptime.uptime)
app.add_typer(audit.app, name="audit")
app.add_typer(bench.app, name="bench")
app.add_typer(cells.app, name="cells")
app.add_typer(contract.app, name="contract")
app.add_typer(quarantine.app, name="quarantine")
app.add_typer(rules.app, name="rules")
app.add_typer(terminals.app, name="terminals")


def main() -> None:
    """Run the command line."""
    app()
