"""Every setting is documented, where a person looks it up and where they copy it from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from tellergrid import settings_page

_ROOT = Path(__file__).parents[2]
_VARIABLES = sorted(
    {
        f"{settings_page.PREFIX}{name.upper()}"
        for settings in settings_page.READERS.values()
        for name in settings.model_fields
    }
)


def test_the_page_in_the_docs_is_made_from_the_classes() -> None:
    assert (_ROOT / "docs/reference/settings.md").read_text(encoding="utf-8") == (
        settings_page.page()
    )


@pytest.mark.parametrize("reader", settings_page.READERS)
def test_every_setting_says_what_it_is_for(reader: str) -> None:
    fields = settings_page.READERS[reader].model_fields
    assert [name for name, about in fields.items() if not about.description] == []


@pytest.mark.parametrize("reader", settings_page.READERS)
def test_a_missing_setting_betrays_no_other(reader: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything is set to nonsense but one, which is missing: the error names and quotes not."""
    for variable in _VARIABLES:
        monkeypatch.setenv(variable, "hunter2")
    monkeypatch.delenv("TELLERGRID_BROKER_URL")
    with pytest.raises(ValidationError) as failed:
        settings_page.READERS[reader](api_port="hunter2", terminal_secret=["hunter2"])
    assert "hunter2" not in str(failed.value)


@pytest.mark.parametrize("variable", _VARIABLES)
def test_every_setting_is_in_the_example_environment(variable: str) -> None:
    assert f"{variable}=" in (_ROOT / ".env.example").read_text(encoding="utf-8")


def test_the_example_environment_names_nothing_that_nobody_reads() -> None:
    """But for what compose itself reads: passwords, and the size of its fleet."""
    compose = (_ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    lines = (_ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {
        line.lstrip("#").partition("=")[0]
        for line in lines
        if "TELLERGRID_" in line and "=" in line
    }
    strange = {name for name in named if name not in _VARIABLES and name not in compose}
    assert strange == set()


@pytest.mark.parametrize("program", ["api", "collector"])
def test_who_asks_for_help_is_told_the_settings_and_not_that_they_are_missing(program: str) -> None:
    """And what is no request for help is refused: these programs take no arguments."""
    bare = {name: v for name, v in os.environ.items() if not name.startswith("TELLERGRID_")}
    for argument, status in (("--help", 0), ("--port", 2)):
        command = [sys.executable, "-m", program, argument]
        done = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
        assert done.returncode == status
        if not status:
            for name in settings_page.READERS[program].model_fields:
                assert f"  {settings_page.PREFIX}{name.upper()}" in done.stdout
