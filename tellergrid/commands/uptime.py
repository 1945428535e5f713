"""`tellergrid uptime`: how available a cell was, day by day, and why not more."""

import asyncio
import re
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from itertools import islice
from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

import typer
from rich.table import Table

from api.errors import NotFound
from api.scope import EVERYTHING
from api.uptime.figures import MOST_BUCKETS, Question, existing, slices
from api.uptime.schemas import By, Slice
from fleet.buckets import Bucket, buckets
from fleet.db.clock import now
from fleet.db.pool import connect
from fleet.reports.words import words
from fleet.rules import catalogue
from tellergrid.console import explained, output, refuse
from tellergrid.stack.reach import database_url

_LAST = re.compile(r"(\d{1,4})([hdw])")
_UNIT = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
_BARS = "▁▂▃▄▅▆▇█"
_MOST_CAUSES = 5
_Answer = tuple[list[Slice], list[Slice]]


def uptime(
    cell: Annotated[str, typer.Argument(help="With all that was below it.")],
    last: Annotated[str, typer.Option(help="So long until now: 48h, 30d, 12w.")] = "30d",
    bucket: Annotated[Bucket, typer.Option(help="A row of the table.")] = Bucket.DAY,
    tz: Annotated[str, typer.Option(help="Whose days, like Asia/Shanghai.")] = "UTC",
    target: Annotated[
        float | None,
        typer.Option(help="Of operational availability, like 0.995: what is left of the budget."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show a cell's availability in a table and a line of bars, its outages and their causes.

    With a target also how much down it allows of the time that is known, and how much of that is
    left; below zero the target is missed.
    """
    length = _length(last)
    if tz not in available_timezones():
        raise typer.BadParameter(f"there is no time zone {tz}", param_hint="--tz")
    if target is not None and not 0 < target <= 1:
        raise typer.BadParameter("is above 0 and at most 1", param_hint="--target")
    with explained():
        try:
            each, whole = asyncio.run(_ask(cell, length, bucket, ZoneInfo(tz), target))
        except NotFound as error:
            refuse(error)
            raise typer.Exit(1) from error
    if as_json:
        body = {"cell": cell, "time_zone": tz, "target": target, "whole": whole, "items": each}
        output.print_json(data=body, default=lambda one: one.model_dump(mode="json", by_alias=True))
    else:
        _show(each, whole, ZoneInfo(tz))


def bars(shares: Sequence[float | None]) -> str:
    """A bar a share, from the lowest of them to 1; a dot where there is none."""
    known = [share for share in shares if share is not None]
    span = 1 - min(known, default=1.0)
    return "".join(
        "·"
        if share is None
        else _BARS[round((1 - (1 - share) / span) * (len(_BARS) - 1)) if span else -1]
        for share in shares
    )


def _length(last: str) -> timedelta:
    found = _LAST.fullmatch(last)
    if found is None or int(found[1]) == 0:
        raise typer.BadParameter(f"{last!r}: a number and h, d or w", param_hint="--last")
    return int(found[1]) * _UNIT[found[2]]


async def _ask(
    cell: str, length: timedelta, bucket: Bucket, zone: ZoneInfo, target: float | None
) -> _Answer:
    components = {rule.name: rule.component for rule in catalogue.load().rules}
    async with await connect(database_url(), name="uptime", autocommit=True) as connection:
        until = await now(connection)
        begin = until - length
        await existing(connection, EVERYTHING, cell)
        cuts = list(islice(buckets(begin, until, bucket, zone), MOST_BUCKETS + 1))
        if len(cuts) > MOST_BUCKETS:
            wrong = f"gives more than {MOST_BUCKETS} rows: take a longer one, or a shorter --last"
            raise typer.BadParameter(wrong, param_hint="--bucket")
        each = Question(By.FLEET, cuts, cell, target=target)
        whole = Question(By.FLEET, [(begin, until)], cell, target=target)
        return (
            await slices(connection, EVERYTHING, each, components),
            await slices(connection, EVERYTHING, whole, components),
        )


def _show(each: Sequence[Slice], whole: Sequence[Slice], zone: ZoneInfo) -> None:
    table = Table(box=None, pad_edge=False)
    names = ("from", "operational", "technical", "coverage", "outages", "longest")
    budgeted = any(one.budget_us is not None for one in whole)
    for name in (*names, "left") if budgeted else names:
        table.add_column(name, justify="left" if name == "from" else "right")
    for one in each:
        table.add_row(f"{one.begin.astimezone(zone):%Y-%m-%d %H:%M}", *_cells(one))
    for one in whole:
        table.add_row("all", *_cells(one), style="bold")
    output.print(table)
    output.print(f"\noperational {bars([one.operational for one in each])}")
    for one in whole:
        if one.budget_us is not None and one.budget_left_us is not None:
            left, budget = _signed(one.budget_left_us), _duration(one.budget_us)
            output.print(f"error budget {left} left of {budget}")
    causes: Counter[str] = Counter()
    for one in whole:
        causes.update(one.down_by_cause_us)
    for cause, us in causes.most_common(_MOST_CAUSES):
        output.print(f"  {_duration(us):>12} {cause}")


def _cells(one: Slice) -> tuple[str, ...]:
    shares = (one.operational, one.technical, one.coverage)
    percents = map(words().share, shares)
    left = () if one.budget_left_us is None else (_signed(one.budget_left_us),)
    return (*percents, str(one.outages), _duration(one.longest_outage_us), *left)


def _signed(us: int) -> str:
    """A time that may be below nothing; then red, for the target is missed."""
    return f"[red]-{_duration(-us)}[/]" if us < 0 else _duration(us)


def _duration(us: int) -> str:
    return str(timedelta(seconds=us // 1_000_000))
