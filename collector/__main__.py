"""`python -m collector`: read the environment, serve until told to stop."""

import asyncio
import gc
import sys
from collections.abc import Sequence

import uvloop
from pydantic import ValidationError

from collector.app import serve
from collector.errors import CollectorError
from collector.settings import Settings
from fleet import logs, refusals
from fleet.rules.errors import CatalogueError
from fleet.usage import take_no_arguments

_ABOUT = "Takes in what terminals say, judges it by the rules, and stores both, until told to stop."

_SELDOM = (20_000, 10, 100)
"""When garbage is searched for, as `gc.set_threshold` takes it; Python says 700, 10, 10.

A batch makes thousands of tuples and next to no circles, which alone need a search. To search all
looks at every terminal, and again whenever they have grown by a quarter: nearly a second for
100,000 of them, in which nothing is read. A region that is read back searches too.
"""


def main(arguments: Sequence[str] = ()) -> int:
    """Run the collector; 0 when told to stop, 1 when it cannot work, with the reason."""
    take_no_arguments(arguments, "python -m collector", _ABOUT, Settings)
    try:
        settings = Settings()
    except ValidationError as error:
        for each in refusals.of_settings(error):
            print(f"collector: {each}", file=sys.stderr)
        return 1
    logs.configure(settings.log_level)
    gc.set_threshold(*_SELDOM)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except (CollectorError, CatalogueError, ValueError) as error:
        print(f"collector: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
