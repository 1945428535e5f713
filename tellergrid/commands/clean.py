"""`tellergrid clean`: forget everything the stack kept."""

import shutil
from typing import Annotated

import typer

from tellergrid.console import explained, output
from tellergrid.settings import Settings
from tellergrid.stack.home import existing_home
from tellergrid.stack.leftovers import stop_stack


def clean(
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    engines: Annotated[
        bool, typer.Option("--engines", help="The unpacked engines too, not the data alone.")
    ] = False,
) -> None:
    """Stop the stack and delete its data, logs and passwords."""
    path = Settings().home
    home = existing_home(path)
    if home is None:
        output.print("there is nothing to delete")
        return
    if not yes:
        typer.confirm(f"Delete all data in {home.root}?", abort=True)
    with explained():
        stop_stack(home)
        for entry in home.root.iterdir():
            if entry == home.engines and not engines:
                continue
            if entry.is_dir():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        if engines:
            home.root.rmdir()
            path.unlink(missing_ok=True)  # where the home was a link to it
    output.print(f"deleted: {home.root}")
