"""The command `tellergrid`."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from tellergrid.cli import _COMMANDS, app


@pytest.mark.parametrize("command", _COMMANDS)
def test_every_command_is_there_and_says_what_it_is_for(command: str) -> None:
    result = CliRunner().invoke(app, [command, "--help"])
    assert result.exit_code == 0
    assert f"tellergrid {command} " in " ".join(result.output.split()).replace("root", "tellergrid")


def test_a_word_that_is_no_command_is_refused() -> None:
    result = CliRunner().invoke(app, ["nope"])
    assert result.exit_code == 2
    assert "No such command 'nope'" in result.output


def test_a_command_does_not_wait_for_what_only_another_needs() -> None:
    """`tellergrid status` is asked again and again: it need not import the benchmarks."""
    loaded = subprocess.run(
        [sys.executable, "-c", _HELP_OF_STATUS], capture_output=True, text=True, check=True
    ).stdout
    assert "tellergrid.commands.status" in loaded
    assert "tellergrid.commands.bench" not in loaded


_HELP_OF_STATUS = """
import sys
from typer.testing import CliRunner
from tellergrid.cli import app
CliRunner().invoke(app, ["status", "--help"])
print(*(name for name in sys.modules if name.startswith("tellergrid")))
"""
