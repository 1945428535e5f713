"""A collector that kills itself at a named instant: `python -m tests.integration.collector.dying`.

DIE_AT says where (`commit`: everything is written, nothing committed; `acknowledge`: committed, not
acknowledged), DIE_ON at which batch with messages in it. `marked`: late data is committed, and its
intervals are to be cut anew; `cut`: they are, and that is not committed. `subscribe`: the broker
has opened a session for us, and nothing is subscribed to.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any, cast

from collector import recut, recutting, store
from collector.__main__ import main
from collector.inlet import Inlet
from fleet.mqtt import Connection

_batches = 0


def _die_on_the_chosen_batch() -> None:
    global _batches  # noqa: PLW0603 - the process lives for this count alone
    _batches += 1
    if _batches == int(os.environ["DIE_ON"]):
        os.kill(os.getpid(), signal.SIGKILL)


async def _die(*_: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _arm() -> None:
    if os.environ["DIE_AT"] == "subscribe":
        Connection.subscribe = _die  # type: ignore[assignment, method-assign]
    elif os.environ["DIE_AT"] == "acknowledge":
        acknowledge: Callable[..., None] = Inlet.acknowledge

        def dying(self: Inlet, arrivals: Any) -> None:
            if arrivals:
                _die_on_the_chosen_batch()
            acknowledge(self, arrivals)

        Inlet.acknowledge = dying  # type: ignore[method-assign]
    elif os.environ["DIE_AT"] == "marked":
        recutting.cut_in = cast("Any", _die)
    elif os.environ["DIE_AT"] == "cut":
        write: Callable[..., Awaitable[None]] = recut._write

        async def written(*arguments: Any) -> None:
            await write(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)

        recut._write = cast("Any", written)
    else:
        run_all: Callable[..., Awaitable[None]] = store._run_all

        async def last_before_commit(cursor: Any, statements: Any) -> None:
            await run_all(cursor, statements)
            if any(each.name == "copy_telemetry" for each in statements):
                _die_on_the_chosen_batch()

        store._run_all = last_before_commit


if __name__ == "__main__":
    _arm()
    sys.exit(main())
