"""`tellergrid rules`: check a catalogue before it is used, and read the one that is."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fleet.rules import duration
from fleet.rules.catalogue import Catalogue, describe, load
from fleet.rules.errors import CatalogueError
from fleet.rules.files import DEFAULT
from fleet.rules.rule import Rule, Stage, When
from fleet.rules.schema import page
from fleet.rules.trials import reading
from fleet.rules.trials.coverage import lacking
from fleet.rules.trials.verdict import Verdict, judge
from tellergrid.commands.backtest import backtest
from tellergrid.commands.explain import explain
from tellergrid.commands.shadow import shadow
from tellergrid.console import aside, output

app = typer.Typer(help="The rules that turn telemetry into faults.", no_args_is_help=True)

app.command()(backtest)
app.command()(explain)
app.command()(shadow)


@app.command()
def schema() -> None:
    """Print the JSON Schema (2020-12) of a catalogue's files, for editors."""
    typer.echo(page(), nl=False)


Folder = Annotated[
    Path | None, typer.Argument(help="A folder of rule files; without it, the default catalogue.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Check every rule of a catalogue; ends with 1 and every problem where it cannot be used."""
    try:
        catalogue = load(folder)
    except CatalogueError as error:
        if as_json:
            output.print_json(data={"ok": False, "problems": msgspec.to_builtins(error.problems)})
        else:
            for problem in error.problems:
                typer.echo(str(problem))
            aside.print(f"{_counted(len(error.problems), 'problem')}: the catalogue cannot be used")
        raise typer.Exit(1) from error
    if as_json:
        output.print_json(data={"ok": True, **_summary(catalogue)})
    else:
        rules = _counted(len(catalogue.rules), "rule")
        output.print(f"{rules}, nothing wrong: catalogue {catalogue.identity}")


@app.command(name="list")
def list_rules(
    folder: Folder = None,
    as_json: AsJson = False,
    markdown: Annotated[bool, typer.Option(help="As the table in the reference.")] = False,
) -> None:
    """Show the rules of a catalogue."""
    try:
        catalogue = load(folder)
    except CatalogueError as error:
        aside.print("the catalogue cannot be used: tellergrid rules check says why")
        raise typer.Exit(1) from error
    if as_json:
        rules = [describe(rule) for rule in catalogue.rules]
        output.print_json(data={**_summary(catalogue), "rules": rules})
    elif markdown:
        for line in markdown_table(catalogue):
            typer.echo(line)
    else:
        _show(catalogue)


@app.command(name="test")
def run_tests(
    files: Annotated[
        list[Path] | None,
        typer.Argument(help="Files of tests; without any, the folder tests of the catalogue."),
    ] = None,
    catalogue: Annotated[
        Path | None, typer.Option(help="The rules to test; without it, the default catalogue.")
    ] = None,
    complete: Annotated[
        bool, typer.Option("--complete", help="Refuse a rule without a firing and a quiet test.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Play tests of rules in virtual time; ends with 1 and the differences where one fails."""
    try:
        loaded = load(catalogue)
        rules = loaded.rules
        where = files or [(catalogue or DEFAULT) / "tests"]
        told = reading.load(where, [rule.name for rule in rules])
    except CatalogueError as error:
        if as_json:
            output.print_json(data={"ok": False, "problems": msgspec.to_builtins(error.problems)})
        else:
            typer.echo(str(error))
        raise typer.Exit(1) from error
    selection = loaded.selection()
    verdicts = [judge(trial, selection) for trial in told]
    missing = list(lacking(rules, told)) if complete else []
    good = bool(told) and not missing and all(verdict.holds for verdict in verdicts)
    if as_json:
        output.print_json(data=_verdicts(verdicts, missing, good=good))
    else:
        _report(verdicts, missing)
    if not good:
        raise typer.Exit(1)


def _verdicts(
    verdicts: list[Verdict], missing: list[tuple[str, str]], *, good: bool
) -> dict[str, object]:
    return {
        "ok": good,
        "tests": [
            {
                "file": each.trial.file,
                "line": each.trial.line,
                "name": each.trial.name,
                "rule": each.trial.rule,
                "ok": each.holds,
                "differences": list(each.differences),
            }
            for each in verdicts
        ],
        "lacking": [{"rule": rule, "test": what} for rule, what in missing],
    }


def _report(verdicts: list[Verdict], missing: list[tuple[str, str]]) -> None:
    failed = [verdict for verdict in verdicts if not verdict.holds]
    for verdict in failed:
        trial = verdict.trial
        typer.echo(f"{trial.file}:{trial.line}: {trial.name}")
        for difference in verdict.differences:
            typer.echo(f"    {difference}")
    for rule, what in missing:
        typer.echo(f"{rule} has no {what} test")
    held = _counted(len(verdicts) - len(failed), "test")
    output.print(f"{held} passed, {len(failed)} failed")


def markdown_table(catalogue: Catalogue) -> Iterator[str]:
    """The lines of the table in the reference."""
    yield "| rule | fires when | holds | severity | service state | who | what is told |"
    yield "|---|---|---|---|---|---|---|"
    for rule in catalogue.rules:
        words = describe(rule)
        parts = f" Parts: {', '.join(rule.parts)}." if rule.parts else ""
        cells = (
            f"`{rule.name}`",
            f"{_fires(words)}".replace("|", "\\|"),
            f"{words.get('for', words.get('silent_for'))} / {words['clear_for']}",
            ", ".join((rule.severity, *map(_stage, rule.stages))),
            rule.impact.value if rule.impact else "",
            f"{rule.skill}, line {rule.line}",
            f"**{rule.title}.** {rule.remedy}{parts}",
        )
        yield f"| {' | '.join(cells)} |"


def _stage(stage: Stage) -> str:
    """A worse severity in one line."""
    if isinstance(stage.trigger, When):
        return f"{stage.to} when `{stage.trigger.condition.text}`"
    return f"{stage.to} after {duration.render(stage.hold)}"


def _fires(words: dict[str, object]) -> str:
    """When a rule fires, from its description, in one line."""
    if "of" in words:
        return f"snapshots without `{words['of']}` for {words['silent_for']}"
    if "never_seen_for" in words:
        return f"never heard, {words['never_seen_for']} after it was commissioned"
    if "rate" in words:
        return _moves(words)
    if "silent_for" in words:
        return f"nothing heard for {words['silent_for']}"
    if "offline" in words:
        return "the last will said so"
    if "count" in words:
        kind = msgspec.convert(words["count"], dict[str, str])
        said = ", ".join(f"`{value}`" for value in kind.values())
        return f"{words['at_least']} events {said} within {words['within']}"
    if "members" in words:
        members = " or ".join(f"`{name}`" for name in msgspec.convert(words["members"], list[str]))
        share = msgspec.convert(words["share"], float)
        return f"{members} on {words['at_least']} terminals and {share:.0%} of the cell"
    each = f"for each of `{words['each']}`: " if words["each"] else ""
    clear = f"; clears when `{words['clear_when']}`" if words["clear_when"] else ""
    return f"{each}`{words['when']}`{clear}"


def _moves(words: dict[str, object]) -> str:
    """When a rate fires, in one line."""
    rate = msgspec.convert(words["rate"], dict[str, str | float])
    way = "rises" if "rises" in rate else "falls"
    given = f", given `{words['given']}`" if words["given"] else ""
    return f"`{rate['of']}` {way} by more than {rate[way]:g} within {words['within']}{given}"


def _show(catalogue: Catalogue) -> None:
    """As columns that a person reads and `grep` too: nothing is cut to the window's width."""
    heads = ("rule", "severity", "service state", "for", "component", "title")
    rows = [heads, *map(_row, catalogue.rules)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())
    output.print(f"{_counted(len(catalogue.rules), 'rule')}, catalogue {catalogue.identity}")


def _row(rule: Rule) -> tuple[str, ...]:
    impact = rule.impact.value if rule.impact else ""
    hold = duration.render(rule.hold)
    return rule.name, rule.severity.value, impact, hold, rule.component, rule.title


def _summary(catalogue: Catalogue) -> dict[str, object]:
    return {
        "catalogue": catalogue.identity,
        "version": catalogue.version,
        "digest": catalogue.digest,
        "count": len(catalogue.rules),
    }


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
