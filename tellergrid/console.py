"""How the command line speaks: answers on standard output, progress and errors beside it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import psycopg
import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from fleet.db.migrate import MigrationError
from tellergrid.engines.errors import EnginesError
from tellergrid.stack.errors import StackError

# What can go wrong and is no fault of the program: a message is enough, no traceback.
FORESEEN = (EnginesError, StackError, MigrationError, psycopg.OperationalError)

_SAY_EVERY_S = 60.0

output = Console(highlight=False)
aside = Console(stderr=True, highlight=False)


def refuse(why: object) -> None:
    """Say what is wrong. It is text, never markup: what was typed or sent may hold brackets."""
    aside.print(f"[red]error:[/] {escape(str(why))}", soft_wrap=True)


@contextmanager
def explained(status: int = 1) -> Iterator[None]:
    """End the command with a status and a message when something foreseen goes wrong."""
    try:
        yield
    except FORESEEN as problem:
        refuse(problem)
        raise typer.Exit(status) from problem
    except KeyboardInterrupt:
        aside.print("interrupted")
        raise typer.Exit(130) from None


class Steps:
    """Shows the step being done: on a terminal moving, in a log by a line a step and a minute."""

    def __init__(self) -> None:
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            console=aside,
            transient=True,
            disable=not aside.is_terminal,
        )
        self._task: TaskID | None = None
        self._said = ""
        self._said_at = 0.0

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._progress.stop()

    def show(self, what: str, share: float | None = None) -> None:
        """Show a step, and how much of it is done, from 0 to 1, when that is known."""
        if what != self._said:
            self._said, self._said_at = what, time.monotonic()
            if not aside.is_terminal:
                aside.print(what)
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(what, total=None if share is None else 1.0)
        if share is None or self._task is None:
            return
        self._progress.update(self._task, completed=share)
        if not aside.is_terminal and time.monotonic() - self._said_at >= _SAY_EVERY_S:
            self._said_at = time.monotonic()
            aside.print(f"{what}: {share:.0%}")
