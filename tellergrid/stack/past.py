"""The stack's database alone, while nothing else of the stack runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tellergrid.stack import postgres, process
from tellergrid.stack.leftovers import clear_leftovers
from tellergrid.stack.parts import engine_parts
from tellergrid.stack.ports import require_free
from tellergrid.stack.wiring import Wiring


@contextmanager
def database_alone(wiring: Wiring, step: Callable[[str], None]) -> Iterator[str]:
    """Start it, unless it is one named from outside; yields its URL. The home must be held."""
    clear_leftovers(wiring.home)
    running = None
    try:
        if (cluster := wiring.cluster) is not None:
            [part] = [part for part in engine_parts(wiring, ()) if part.name == "database"]
            require_free(wiring.settings.database_port, "database")
            step("Starting the database")
            part.before()
            running = process.start(part.program, part.log)
            part.ready(running)
            postgres.create_database(cluster)
        yield wiring.database_url
    finally:
        if running is not None:
            process.stop(running, part.program.stop_signal)
