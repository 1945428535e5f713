"""How imports of cells and terminals tell what they did, or why not."""

from collections.abc import Sequence
from pathlib import Path

import typer

from api.grid.membership import Move
from fleet.grid.cell import ImportRefused
from tellergrid.console import aside, output, refuse

_MOST_SHOWN = 20


def refusal(refused: ImportRefused) -> typer.Exit:
    """Print every problem; the exit to raise."""
    for problem in refused.problems:
        refuse(problem)
    aside.print(f"nothing was changed: {len(refused.problems)} problems")
    return typer.Exit(1)


def text_of(file: Path) -> str:
    """What a file says; ends the command where it is not UTF-8."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        refuse(f"{file}: is not UTF-8 (byte {error.start}); save it as UTF-8")
        raise typer.Exit(1) from error


def show_moves(moves: Sequence[Move], *, dry_run: bool) -> None:
    """Print which terminals are in another cell now."""
    output.print(f"{len(moves)} terminals in another cell, or for another reason")
    for move in moves[:_MOST_SHOWN]:
        line = f"  {move.terminal}: {move.before or 'nowhere'} → {move.after} ({move.method})"
        output.print(line, markup=False, soft_wrap=True)
    if len(moves) > _MOST_SHOWN:
        output.print(f"  and {len(moves) - _MOST_SHOWN} more")
    if dry_run:
        output.print("nothing was changed: this was a dry run")
