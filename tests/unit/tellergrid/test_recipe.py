"""A copy of the engines is found again by a name that says what it holds and how it was made."""

from dataclasses import replace
from fnmatch import fnmatch

import pytest

from tellergrid.engines.recipe import MOSQUITTO, POSTGRES


def test_a_copy_is_made_anew_when_its_recipe_changes() -> None:
    """Another machine, another package, another thing left out: another copy."""
    assert POSTGRES.stamp("amd64") == POSTGRES.stamp("amd64")
    others = [
        POSTGRES.stamp("arm64"),
        MOSQUITTO.stamp("amd64"),
        (POSTGRES + MOSQUITTO).stamp("amd64"),
        replace(POSTGRES, without=()).stamp("amd64"),
    ]
    assert POSTGRES.stamp("amd64") not in others
    assert len(set(others)) == len(others)


@pytest.mark.parametrize(
    ("package", "left_out"),
    [
        ("libllvm19", True),
        ("perl-base", True),
        ("libipc-run-perl", True),
        ("postgresql-client-common", True),
        ("locales", True),
        ("postgresql-17", False),
        ("postgresql-17-timescaledb", False),
        ("libpq5", False),
        ("libc6", False),
        ("libssl3t64", False),
        ("libpam0g", False),
        ("mosquitto-clients", False),
    ],
)
def test_only_what_no_engine_loads_is_left_out(package: str, *, left_out: bool) -> None:
    """The compiler, perl, locales and the tools of package scripts; never a library in use."""
    recipe = POSTGRES + MOSQUITTO
    assert any(fnmatch(package, pattern) for pattern in recipe.without) is left_out


def test_two_recipes_are_made_together() -> None:
    """Both engines missing means one download."""
    both = POSTGRES + MOSQUITTO
    assert set(both.packages) == {*POSTGRES.packages, *MOSQUITTO.packages}
    assert set(both.executables) == {*POSTGRES.executables, *MOSQUITTO.executables}
