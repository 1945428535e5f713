"""`tellergrid score`: how good detection is, against the truth that only a simulator knows."""

from pathlib import Path
from typing import Annotated

import msgspec
import psycopg
import typer
from rich.table import Table

from fleet.rules import catalogue
from fleet.rules.catalogue import Catalogue
from fleet.rules.errors import CatalogueError
from simulator.errors import SimulatorError
from simulator.scenario import EVERYDAY, load, names
from simulator.truth import Run, read
from tellergrid.console import Steps, aside, explained, output, refuse
from tellergrid.score import page as pages
from tellergrid.score.comparison import Score
from tellergrid.score.report import Report, report
from tellergrid.score.runs import Size
from tellergrid.score.runs import score as play_and_score
from tellergrid.score.stored import score_stored
from tellergrid.stack.reach import database_url

_SHORT = 1
_CANNOT = 2


def score(
    scenarios: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SCENARIO...]", help="By name or .yaml file; by default all."),
    ] = None,
    terminals: Annotated[int, typer.Option(min=1, help="How large a fleet each has.")] = 60,
    cells: Annotated[int | None, typer.Option(min=1, help="By default one for ten.")] = None,
    hours: Annotated[
        float, typer.Option(min=0.1, max=8784, help="For how long each is played.")
    ] = 24,
    seed: Annotated[int, typer.Option(help="What all chance follows from.")] = 1,
    rules: Annotated[
        Path | None, typer.Option(help="Another catalogue: a folder; played in one process.")
    ] = None,
    truth: Annotated[
        Path | None, typer.Option(help="Of a run that was played: score what the database holds.")
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write a page with charts there.")] = None,
    min_recall: Annotated[float, typer.Option(min=0, max=1, help="End with 1 below it.")] = 0,
    min_precision: Annotated[float, typer.Option(min=0, max=1, help="End with 1 below it.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Play scenarios in virtual time, and compare what was detected with what was wrong.

    The simulator knows what it broke. Faults, tickets and service states of the real engine, with
    the real catalogue, are held against it: what was found of what could be found, what of the
    found was right, whether each outage of a cell became one ticket, how far uptime is off.

    Needs no database and no broker. With --truth nothing is played: the file that `tellergrid
    simulate` left, by default .tellergrid/simulator/truth.jsonl, is held against the faults,
    tickets and intervals in the stack's database, or in the one that TELLERGRID_DATABASE_URL
    names. A scenario from a file must be named again.

    Ends with 0, 1 below a floor, 2 when it cannot be played.
    """
    if html is not None and not html.parent.is_dir():
        raise typer.BadParameter(f"there is no folder {html.parent}", param_hint="--html")
    if truth is not None and len(scenarios or ()) > 1:
        raise typer.BadParameter(
            "of one scenario there is a truth: name one", param_hint="SCENARIO"
        )
    try:
        with explained(), Steps() as steps:
            loaded = catalogue.load(rules)
            size = Size(terminals, cells, hours, seed)
            alone = rules is not None
            if truth is not None:
                scores = [_stored(truth, scenarios, loaded)]
            else:
                wanted = scenarios or list(names())
                scores = play_and_score(wanted, size, loaded, steps.show, alone=alone)
    except (SimulatorError, CatalogueError) as error:
        aside.print(f"error: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(_CANNOT) from error
    made = report(scores)
    if as_json:
        output.print_json(data=msgspec.to_builtins(made))
    else:
        _print(made)
    if html is not None:
        try:
            html.write_text(pages.page(made, loaded.identity, seed), encoding="utf-8")
        except OSError as error:
            refuse(f"{html}: {error.strerror}")
            raise typer.Exit(_CANNOT) from error
    if made.recall < min_recall or made.precision < min_precision:
        raise typer.Exit(_SHORT)


def _stored(file: Path, scenarios: list[str] | None, rules: Catalogue) -> Score:
    """Score a run that was played, by what the database holds of it."""
    lines = read(file)
    [name] = scenarios or [line.scenario for line in lines if isinstance(line, Run)] or [EVERYDAY]
    with psycopg.connect(database_url()) as database:
        return score_stored(database, lines, load(name), rules)


def _print(made: Report) -> None:
    table = Table(box=None, pad_edge=False)
    for name in ("scenario", "recall", "precision", "cells", "wrong", "uptime s/day", "messages"):
        table.add_column(name, justify="left" if name == "scenario" else "right")
    for line in made.scenarios:
        table.add_row(
            line.scenario,
            f"{line.recall:.4f}",
            f"{line.precision:.4f}",
            str(line.cell_outages),
            str(line.wrong_cell_tickets),
            f"{line.uptime_error_s_per_day:.2f}",
            f"{line.messages:,}",
        )
    table.add_section()
    table.add_row(
        "together",
        f"{made.recall:.4f}",
        f"{made.precision:.4f}",
        str(made.cell_outages),
        str(made.wrong_cell_tickets),
        f"{made.uptime_error_s_per_day:.2f}",
        f"{sum(line.messages for line in made.scenarios):,}",
    )
    output.print(table)
    for each in made.shortfalls:
        text = f"{each.kind}: {each.name}, {each.count}: {each.reason}; {each.example}"
        output.print(text, markup=False, soft_wrap=True)
