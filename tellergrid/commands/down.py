"""`tellergrid down`: stop what `up` started, and nothing else."""

from tellergrid.console import explained, output
from tellergrid.settings import Settings
from tellergrid.stack.home import existing_home
from tellergrid.stack.leftovers import stop_stack


def down() -> None:
    """Stop everything `tellergrid up` started here; the data stay."""
    with explained():
        home = existing_home(Settings().home)
        ended = stop_stack(home) if home is not None else []
        if ended:
            output.print(f"stopped: {', '.join(ended)}")
        else:
            output.print("nothing runs here")
