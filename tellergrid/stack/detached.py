"""A supervisor in the background, and the pipe it tells its starter through how the start goes."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable

import msgspec

from tellergrid.stack import record
from tellergrid.stack.errors import StartError
from tellergrid.stack.home import Home
from tellergrid.stack.record import Record
from tellergrid.stack.run import Audience
from tellergrid.stack.wiring import Fleet


class _Said(msgspec.Struct):
    """A line through the pipe."""

    step: str = ""
    failed: str = ""
    up: bool = False


def launch(home: Home, fleet: Fleet, step: Callable[[str], None], *, simulator: bool) -> Record:
    """Start a supervisor that outlives us, and return once everything serves.

    Raises StartError, saying why, when it ends instead.
    """
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "tellergrid", "up", "--report-to", str(writing)]
    command += ["--terminals", str(fleet.terminals), "--seed", str(fleet.seed)]
    command += [] if fleet.cells is None else ["--cells", str(fleet.cells)]
    command += [] if simulator else ["--no-simulator"]
    with home.log("supervisor").open("ab") as output:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, "TELLERGRID_HOME": str(home.root)},
            pass_fds=(writing,),
            start_new_session=True,
        )
    os.close(writing)
    try:
        with os.fdopen(reading, "rb") as pipe:
            _follow(pipe, step)
    except KeyboardInterrupt:
        process.send_signal(signal.SIGTERM)
        process.wait()
        raise
    written = record.read(home)
    if written is None:
        raise StartError("The stack was stopped as soon as it was up.")
    return written


def audience(descriptor: int) -> Audience:
    """Tell the starter, who may be gone by now."""
    pipe = os.fdopen(descriptor, "wb", buffering=0)

    def say(said: _Said) -> None:
        with contextlib.suppress(BrokenPipeError):
            pipe.write(msgspec.json.encode(said) + b"\n")

    def up(_written: Record) -> None:
        say(_Said(up=True))
        pipe.close()

    return Audience(
        step=lambda what: say(_Said(step=what)),
        up=up,
        failed=lambda why: say(_Said(failed=why)),
    )


def _follow(pipe: Iterable[bytes], step: Callable[[str], None]) -> None:
    for line in pipe:
        said = msgspec.json.decode(line, type=_Said)
        if said.up:
            return
        if said.failed:
            raise StartError(said.failed)
        step(said.step)
    raise StartError("The stack did not start; `tellergrid logs supervisor` may say why.")
