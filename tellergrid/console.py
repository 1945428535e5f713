"""How the command line speaks: answers on standard output, progress and errors beside it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

import psycopg
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn

from fleet.db.migrate import MigrationError
from tellergrid.engines.errors import EnginesError
from tellergrid.stack.errors import StackError

# What can go wrong and is no fault of the program: a message is enough, no traceback.
FORESEEN = (EnginesError, StackError, MigrationError, psycopg.OperationalError)

output = Console(highlight=False)
aside = Console(stderr=True, highlight=False)


@contextmanager
def explained() -> Iterator[None]:
    """End the command with status 1 and a message when something foreseen goes wrong."""
    try:
        yield
    except FORESEEN as problem:
        aside.print(f"[red]error:[/] {problem}", markup=True, soft_wrap=True)
        raise typer.Exit(1) from problem
    except KeyboardInterrupt:
        aside.print("interrupted")
        raise typer.Exit(130) from None


class Steps:
    """Shows the step being done; on a terminal it moves, in a log it is a line a step."""

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
            self._said = what
            if not aside.is_terminal:
                aside.print(what)
            if self._task is not None:
                self._progress.remove_task(self._task)
            self._task = self._progress.add_task(what, total=None if share is None else 1.0)
        if self._task is not None and share is not None:
            self._progress.update(self._task, completed=share)
