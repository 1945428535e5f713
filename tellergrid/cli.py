"""The command `tellergrid`: one module a command in `tellergrid/commands`, named here.

A module is imported when its command is called: `tellergrid status` waits for nothing that only
another command needs.
"""

from collections.abc import Callable
from errno import EPIPE
from importlib import import_module
from typing import cast

import typer
from pydantic import ValidationError
from typer.core import TyperCommand, TyperGroup

from fleet import refusals
from tellergrid.console import refuse

# Where each command is, in the order of the help: a module of `tellergrid.commands`, and in it a
# function, or a typer application for a command that has commands of its own.
_COMMANDS = {
    "up": "up:up",
    "down": "down:down",
    "status": "status:status",
    "login": "login:login",
    "logs": "logs:logs",
    "init": "init:init",
    "clean": "clean:clean",
    "simulate": "simulate:simulate",
    "certificates": "certificates:certificates",
    "break": "hands:break_",
    "repair": "hands:repair",
    "move": "hands:move",
    "silence": "hands:silence",
    "jump-clock": "hands:jump_clock",
    "record": "recording:record",
    "replay": "recording:replay",
    "score": "score:score",
    "backfill": "backfill:backfill",
    "uptime": "uptime:uptime",
    "recut": "recut:recut",
    "coverage": "coverage:coverage",
    "report": "report:report",
    "audit": "audit:app",
    "bench": "bench:app",
    "cells": "cells:app",
    "contract": "contract:app",
    "quarantine": "quarantine:app",
    "rules": "rules:app",
    "technicians": "technicians:app",
    "terminals": "terminals:app",
}


_WRONG_SETTING = 2


class Commands(TyperGroup):
    """Finds a command by name, and imports it then."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]
        """Carry a command out; what the environment or a file has wrong is no traceback."""
        try:
            return super().invoke(ctx)
        except ValidationError as error:
            if not error.title.endswith("Settings"):
                raise
            for each in refusals.of_settings(error):
                refuse(each)
            raise typer.Exit(_WRONG_SETTING) from None
        except OSError as error:
            if error.errno == EPIPE or error.strerror is None:  # whoever read has enough
                raise
            where = f"{error.filename}: " if error.filename is not None else ""
            refuse(f"{where}{error.strerror}")
            raise typer.Exit(1) from error

    # typer's own Context is given, a subclass of the one it declares.
    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002
        """Name every command, in the order of the help."""
        return list(_COMMANDS)

    def get_command(  # type: ignore[override]
        self,
        ctx: typer.Context,  # noqa: ARG002  # click's signature
        cmd_name: str,
    ) -> TyperCommand | TyperGroup | None:
        """Import one command, or return None for a name that is none."""
        if (place := _COMMANDS.get(cmd_name)) is None:
            return None
        module, name = place.split(":")
        found = getattr(import_module(f"tellergrid.commands.{module}"), name)
        if isinstance(found, typer.Typer):
            group = typer.main.get_group(found)
            group.name = cmd_name  # else the list of commands has a line without its name
            return group
        return _alone(found, cmd_name)


app = typer.Typer(
    name="tellergrid",
    help="Watches a bank's self-service terminals, grid cell by grid cell.",
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_show_locals=False,  # they would hold passwords
)


@app.callback()
def _tellergrid() -> None:
    """Make the application a group, as long as no command was called."""


def main() -> None:
    """Run the command line."""
    app()


def _alone(function: Callable[..., None], name: str) -> TyperCommand:
    application = typer.Typer(add_completion=False)
    application.command(name)(function)
    return cast("TyperCommand", typer.main.get_command(application))
