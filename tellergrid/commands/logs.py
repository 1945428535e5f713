"""`tellergrid logs`: what the parts say."""

import time
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from tellergrid.console import explained, output
from tellergrid.settings import Settings
from tellergrid.stack.errors import StackError
from tellergrid.stack.home import existing_home

_LOOK_EVERY_S = 0.3


def logs(
    part: Annotated[
        str | None, typer.Argument(help="One part, such as `collector`; by default all of them.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until Ctrl-C.")] = False,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="How many to begin with.")
    ] = 20,
) -> None:
    """Show the end of each part's log."""
    with explained():
        home = existing_home(Settings().home)
        there = sorted(home.logs.glob("*.log")) if home is not None else []
        found = [path for path in there if part in (None, path.stem)]
        if not found:
            raise StackError(f"There is no log of {'anything' if part is None else part} here.")
        for path in found:
            for line in path.read_text(errors="replace").splitlines()[-lines:] if lines else []:
                _show(path, line, alone=part is not None)
        if follow:
            _follow(found, alone=part is not None)


def _follow(paths: list[Path], *, alone: bool) -> None:
    files = {path: path.open("rb") for path in paths}
    for file in files.values():
        file.seek(0, 2)
    unfinished = dict.fromkeys(paths, b"")
    while True:
        for path, file in files.items():
            *whole, unfinished[path] = _more(file, unfinished[path])
            for line in whole:
                _show(path, line.decode(errors="replace"), alone=alone)
        time.sleep(_LOOK_EVERY_S)


def _more(file: BinaryIO, unfinished: bytes) -> list[bytes]:
    return (unfinished + file.read()).split(b"\n")


def _show(path: Path, line: str, *, alone: bool) -> None:
    text = line if alone else f"{path.stem:<10} {line}"
    output.print(text, markup=False, soft_wrap=True)
