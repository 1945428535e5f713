"""`tellergrid rules explain`: why there is a fault, or why there is none."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fleet.db.clock import now
from fleet.db.explaining import explain_subject
from fleet.db.pool import connect
from fleet.rules import duration
from fleet.rules.catalogue import Catalogue, load
from fleet.rules.errors import CatalogueError
from fleet.rules.explanation import Answer, Explanation, Part
from tellergrid.console import explained, output, refuse
from tellergrid.stack.reach import database_url

_UNKNOWN = 2
_MARKS = {"true": "✓", "false": "✗", "unknown": "?"}


def explain(
    subject: Annotated[str, typer.Argument(help="The code of a terminal or of a cell.")],
    rule: Annotated[
        str | None, typer.Argument(help="One rule, in full; without it, all in a line each.")
    ] = None,
    at: Annotated[
        datetime | None, typer.Option(help="As of then, UTC: 2026-11-23T08:00:00. Now without it.")
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option(help="A folder of rule files; without it, the catalogue in force then."),
    ] = None,
    lateness: Annotated[
        str, typer.Option(help="How late a message may come and still be judged in its place.")
    ] = "5s",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Say what was read of a terminal, what each part of a condition was, where the timer stands;
    of a cell how many members serve, which of them are bad, since when, and what a fault takes.

    Terminals are replayed from what is stored, up to the time, by the catalogue that was in force
    then; faults and what suppresses them or holds their tickets are as they were decided. Without a
    rule, the rules that are plainly false are left out. Ends with 2 for a terminal, a cell or a
    rule that is not known.
    """
    try:
        given = None if catalogue is None else load(catalogue)
    except CatalogueError as error:
        refuse(error)
        raise typer.Exit(_UNKNOWN) from error
    try:
        late = duration.parse(lateness)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    moment = None if at is None else _instant(at)
    with explained():
        try:
            found = asyncio.run(_read(subject, moment, given, rule, late))
        except LookupError as error:
            refuse(error.args[0])
            raise typer.Exit(_UNKNOWN) from error
    if as_json:
        output.print_json(data=[msgspec.to_builtins(each) for each in found])
    elif rule is None:
        _list(found)
    else:
        for line in told(found):
            typer.echo(line)


def _instant(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


async def _read(
    subject: str,
    at: datetime | None,
    given: Catalogue | None,
    rule: str | None,
    lateness: timedelta,
) -> tuple[Explanation, ...]:
    async with await connect(database_url(), name="explain") as connection:
        await connection.set_read_only(True)
        present = await now(connection)
        if at is not None and at > present:
            raise LookupError(f"{at:%Y-%m-%d %H:%M:%S} UTC is yet to come: nothing is known of it")
        moment = at or present
        return await explain_subject(connection, subject, moment, given, rule, lateness)


def _list(found: tuple[Explanation, ...]) -> None:
    """The rules about which there is something to say."""
    width = max((len(each.rule) for each in found), default=0)
    said = [each for each in found if each.faults or each.members or not _plain(each)]
    for each in said:
        typer.echo(f"{each.rule.ljust(width)}  {each.conclusion}")
    output.print(f"{len(found) - len(said)} rules more are plainly false or read nothing here")
    for by in sorted({f"by catalogue {each.catalogue}, {each.standing}" for each in found}):
        typer.echo(by)


def _plain(found: Explanation) -> bool:
    return all(answer.timer is None for answer in found.answers)


def told(found: tuple[Explanation, ...]) -> Iterator[str]:
    """Explanations in full, line by line."""
    for each in found:
        yield f"{each.rule} of {each.subject} at {each.at:%Y-%m-%d %H:%M:%S} UTC"
        yield f"  by catalogue {each.catalogue}, {each.standing}"
        yield f"  {each.conclusion}"
        for answer in each.answers:
            yield from _answer(answer, each.conclusion)
        for known in each.faults:
            yield f"  fault {known.id} by catalogue {known.catalogue}"
        for member in each.members:
            began = f"{member.started_at:%Y-%m-%d %H:%M:%S}"
            yield f"  bad: {member.terminal} by {member.rule} since {began}"
        for window in each.windows:
            yield f"  {window.purpose} window {window.id} by {window.author}: {window.reason}"


def _answer(answer: Answer, said: str) -> Iterator[str]:
    if answer.item:
        yield f"  {answer.item}:" + ("" if answer.conclusion == said else f" {answer.conclusion}")
    for name, value in answer.inputs.items():
        yield f"    {name} = {'not reported' if value is None else value}"
    for what, part in (("when", answer.when), ("clear_when", answer.clear_when)):
        if part is not None:
            yield f"    {what}"
            yield from _part(part, 3)
    if answer.timer is not None:
        timer = answer.timer
        due = f", over {timer.due:%H:%M:%S}" if timer.due else ""
        flapping = ", flapping" if timer.flapping else ""
        yield f"    timer: {timer.phase} since {timer.since:%Y-%m-%d %H:%M:%S}{due}{flapping}"


def _part(part: Part, depth: int) -> Iterator[str]:
    yield f"{'  ' * depth}{_MARKS[part.truth]} {part.text}  {part.truth}"
    for each in part.parts:
        yield from _part(each, depth + 1)
