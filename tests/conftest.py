"""What every test may ask for. Nothing here starts anything until a test asks."""

import pytest

pytest_plugins = ["tests.engines"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long`: faults at their full length, as `make chaos` wants them."""
    parser.addoption("--long", action="store_true", help="bring faults about at full length")
