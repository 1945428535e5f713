"""What every test may ask for. Nothing here starts anything until a test asks."""

import gc
import os

import pytest
from hypothesis import HealthCheck, settings

from tests.machine import keep_in_memory

pytest_plugins = ["tests.engines"]

keep_in_memory()

# The suite looks at the same examples each time, so that it says the same of the same code;
# `HYPOTHESIS_PROFILE=explore` looks at others each time and remembers what failed.
# How long an example takes is the machine's affair, and no failure.
_SLOWLY = [HealthCheck.too_slow]
settings.register_profile(
    "suite",
    derandomize=True,
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOWLY,
)
settings.register_profile("explore", deadline=None, print_blob=True, suppress_health_check=_SLOWLY)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "suite"))


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long`: faults at their full length, as `make chaos` wants them."""
    parser.addoption("--long", action="store_true", help="bring faults about at full length")


def pytest_collection_finish() -> None:
    """Search the tests themselves for garbage once, not at each search that a test makes.

    Thousands of them lie in a worker until it ends, and each collector that begins searches.
    """
    gc.collect()
    gc.freeze()
