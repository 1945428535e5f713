"""Ends what a stack left running: the orderly way from outside, or after its supervisor died."""

import contextlib
import os
import signal
import time

from tellergrid.stack import record
from tellergrid.stack.home import Home, is_held
from tellergrid.stack.process import end

SUPERVISOR = "supervisor"
_ORDERLY_PATIENCE_S = 60.0
_REQUESTS = {"database": signal.SIGINT}


def stop_stack(home: Home) -> list[str]:
    """Stop the stack of a home, and return the names of what was ended.

    The supervisor is asked first and stops its parts in order. What it leaves is ended one by one.
    Processes are told by number and start time, so nothing else is ever touched.
    """
    found = record.read(home)
    if found is None:
        return []
    alive = found.alive()
    if (supervisor := alive.get(SUPERVISOR)) is not None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(supervisor.pid, signal.SIGTERM)
        deadline = time.monotonic() + _ORDERLY_PATIENCE_S
        while time.monotonic() < deadline and (supervisor.alive() or is_held(home)):
            time.sleep(0.05)
    clear_leftovers(home)
    return list(alive)


def clear_leftovers(home: Home) -> None:
    """End every recorded process that still runs, the last started first, and the record."""
    found = record.read(home)
    if found is not None:
        for name, process in reversed(found.processes.items()):
            end(process.pid, process.ticks, _REQUESTS.get(name, signal.SIGTERM))
    home.record.unlink(missing_ok=True)
