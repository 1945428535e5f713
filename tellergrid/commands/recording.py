"""`tellergrid record` and `tellergrid replay`: real traffic, kept and played again."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from fleet.mqtt import Broker
from fleet.rules import duration
from simulator import recording
from simulator.errors import SimulatorError
from tellergrid.console import Steps, aside, explained, output
from tellergrid.stack.reach import broker

_CANNOT = 1
_TELL_EVERY = 100


def record(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to write: a line a message.")],
    lasts: Annotated[
        str | None, typer.Option("--for", help="How long, such as 10m; by default until Ctrl-C.")
    ] = None,
    topic: Annotated[str, typer.Option(help="Which messages.")] = recording.FLEET,
) -> None:
    """Keep what the broker carries, to be played again; what looks like a card number is masked.

    The stack's broker, or the one that TELLERGRID_BROKER_URL names. Ends with 0, or 1 when it
    cannot be done.
    """
    try:
        seconds = None if lasts is None else duration.parse(lasts).total_seconds()
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with explained(), Steps() as steps:
        try:
            speaker = broker()
            with file.open("ab") as opened:  # an older recording stays until the broker is reached
                count = asyncio.run(_record(speaker, opened, topic, seconds, steps))
        except (SimulatorError, OSError) as error:
            aside.print(f"error: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(_CANNOT) from error
    output.print(f"{count:,} messages in {file}", markup=False)


def replay(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What `record` wrote.")],
    speed: Annotated[
        float, typer.Option(min=0, help="How many times as fast; 0: as fast as it goes.")
    ] = 1.0,
    retime: Annotated[
        bool, typer.Option("--retime", help="Let messages say the time at which they are played.")
    ] = False,
    boots: Annotated[
        int, typer.Option(min=0, help="Add this to every boot: else what is stored is a duplicate.")
    ] = 0,
) -> None:
    """Play a recording to the broker, at any speed.

    The account must be allowed to speak for all terminals: on the stack's broker it is `tester`.
    Ends with 0, or 1 when it cannot be done.
    """
    with explained(), Steps() as steps:

        def told(count: int) -> None:
            if count % _TELL_EVERY == 0:
                steps.show("playing")

        try:
            played = recording.replay(
                broker(), recording.read(file), told, speed=speed, retime=retime, boots=boots
            )
            count = asyncio.run(played)
        except SimulatorError as error:
            aside.print(f"error: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(_CANNOT) from error
    output.print(f"{count:,} messages played", markup=False)


async def _record(
    broker: Broker, file: BinaryIO, topic: str, seconds: float | None, steps: Steps
) -> int:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    if seconds is not None:
        loop.call_later(seconds, stopped.set)
    steps.show("recording")
    return await recording.record(broker, file, topic, stopped, lambda _: None)
