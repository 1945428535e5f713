"""`tellergrid break`, `repair`, `move`, `silence`, `jump-clock`: hands in a running simulator."""

import asyncio
from typing import Annotated

import msgspec
import typer

from simulator.control import Answer, Break, JumpClock, Move, Repair, Request, Silence
from simulator.errors import SimulatorError
from simulator.hands import NobodyThereError, ask
from simulator.properties import OFFLINE
from simulator.scenario import ahead_s
from tellergrid.console import aside, explained, output, refuse
from tellergrid.stack.errors import NothingRunsError
from tellergrid.stack.reach import broker

_REFUSED = 1
_NOBODY_THERE = 3

Terminal = Annotated[str, typer.Argument(metavar="TERMINAL", help="Its id, such as ATM-0001.")]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


def break_(
    terminal: Terminal,
    properties: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH=VALUE...",
            help="Properties in the contract's words, or `offline` to cut the line.",
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Set properties of a simulated terminal until it is repaired.

    Any property of the wire contract; a misspelt one is refused with a suggestion:

        tellergrid break ATM-0001 cardReader.media=jammed
        tellergrid break ATM-0001 storage.CST1.status=missing metrics.temperature_c=70
        tellergrid break ATM-0001 'cashDispenser.positions[].shutter=jammedOpen'
        tellergrid break ATM-0001 offline

    Ends with 0 when it is done, 1 when it is refused, 3 when no simulator answers.
    """
    wanted: dict[str, str | float | int | bool] = dict(map(_assignment, properties))
    answer = _ask(Break(terminal, wanted), as_json=as_json)
    for path, value in (answer.properties or {}).items():
        output.print(f"{terminal}  {path} = {_text(value)}", markup=False)
    if not answer.properties:
        output.print(f"{terminal}  was so already", markup=False)


def repair(terminal: Terminal, as_json: AsJson = False) -> None:
    """Put everything about a simulated terminal in order: what was broken, faults, supplies.

    Ends with 0 when it is done, 1 when it is refused, 3 when no simulator answers.
    """
    _ask(Repair(terminal), as_json=as_json)
    output.print(f"{terminal}  in order", markup=False)


def move(
    terminal: Terminal,
    region: Annotated[
        str | None,
        typer.Option(help="It speaks on this region's topics from now on, as if carried there."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take a simulated terminal from its place: its position sensor says so until it is repaired.

    With --region it comes up under another branch: the collector must set aside what it says.
    Ends with 0 when it is done, 1 when it is refused, 3 when no simulator answers.
    """
    _ask(Move(terminal, region), as_json=as_json)
    where = "is not in its place" if region is None else f"speaks for {region} now"
    output.print(f"{terminal}  {where}", markup=False)


def silence(terminal: Terminal, as_json: AsJson = False) -> None:
    """Let the software of a simulated terminal hang: its line stands and it says nothing.

    `tellergrid repair` starts it anew. Ends with 0, 1 when refused, 3 when no simulator answers.
    """
    _ask(Silence(terminal), as_json=as_json)
    output.print(f"{terminal}  says nothing any more", markup=False)


def jump_clock(
    terminal: Terminal,
    by: Annotated[str, typer.Argument(metavar="BY", help="30m ahead; -- -2h behind.")],
    as_json: AsJson = False,
) -> None:
    """Let the clock of a simulated terminal jump, ahead or back; `repair` sets it right.

        tellergrid jump-clock ATM-0001 30m
        tellergrid jump-clock ATM-0001 -- -2h

    Ends with 0 when it is done, 1 when it is refused, 3 when no simulator answers.
    """
    try:
        seconds = ahead_s(by)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    _ask(JumpClock(terminal, seconds), as_json=as_json)
    output.print(f"{terminal}  its clock is {by} off", markup=False)


def _ask(request: Request, *, as_json: bool) -> Answer:
    """Return the answer, or end the command with what was said about it."""
    with explained():
        try:
            to = broker()
        except NothingRunsError as error:
            refuse(error)
            raise typer.Exit(_NOBODY_THERE) from error
    try:
        answer = asyncio.run(ask(to, request))
    except NobodyThereError as error:
        refuse(f"{error}: is one running? `tellergrid status` shows it.")
        raise typer.Exit(_NOBODY_THERE) from error
    except SimulatorError as error:
        refuse(error)
        raise typer.Exit(_REFUSED) from error
    if as_json:
        output.print_json(data=msgspec.to_builtins(answer))
        raise typer.Exit(0 if answer.ok else _REFUSED)
    if not answer.ok:
        aside.print(f"error: {answer.error}", markup=False, soft_wrap=True)
        raise typer.Exit(_REFUSED)
    return answer


def _assignment(text: str) -> tuple[str, str]:
    path, equals, value = text.partition("=")
    if equals:
        return path, value
    if path == OFFLINE:
        return OFFLINE, "true"
    raise typer.BadParameter(f"{text!r} is not PATH=VALUE, as in cardReader.media=jammed")


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode().strip('"')
