"""Every setting is documented where people look for it: `.env.example`."""

import re
from pathlib import Path

import pytest
from pydantic_settings import BaseSettings

from api.settings import Settings as ApiSettings
from collector.settings import Settings as CollectorSettings
from simulator.settings import Settings as SimulatorSettings
from tellergrid.commands.init import InitSettings
from tellergrid.settings import Settings

REPOSITORY = Path(__file__).parents[3]
EXAMPLE = REPOSITORY / ".env.example"
EVERY: list[type[BaseSettings]] = [
    ApiSettings,
    CollectorSettings,
    SimulatorSettings,
    Settings,
    InitSettings,
]


def documented() -> set[str]:
    return set(re.findall(r"^#?(TELLERGRID_\w+)=", EXAMPLE.read_text(), re.MULTILINE))


@pytest.mark.parametrize("settings", EVERY, ids=lambda settings: settings.__module__)
def test_every_setting_is_in_the_example(settings: type[BaseSettings]) -> None:
    """A variable nobody can find is a variable nobody sets."""
    names = {f"TELLERGRID_{name.upper()}" for name in settings.model_fields}
    assert names <= documented()


def test_the_example_names_nothing_that_is_gone() -> None:
    """What it lists is read by a service, or by compose."""
    read = {f"TELLERGRID_{name.upper()}" for every in EVERY for name in every.model_fields}
    read |= set(re.findall(r"TELLERGRID_\w+", (REPOSITORY / "docker-compose.yml").read_text()))
    assert documented() <= read


def test_what_compose_requires_is_what_make_env_makes() -> None:
    """The example's required variables are the script's."""
    required = EXAMPLE.read_text().split("The demo fleet")[0]
    named = set(re.findall(r"^(TELLERGRID_\w+)=$", required, re.MULTILINE))
    script = (REPOSITORY / "deploy/make-env").read_text()
    assert all(name.removeprefix("TELLERGRID_") in script for name in named)
    assert named
