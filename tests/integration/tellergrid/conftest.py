"""A stack of the test's own: its own home and ports, the engines everybody's tests share."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from tellergrid.engines.locate import Engines
from tellergrid.stack.home import Home
from tellergrid.stack.ports import free_port
from tellergrid.stack.process import is_same
from tests.engines import shared_home
from tests.machine import PATIENCE_S

_NUMBERS = count(1)
_PORTS = ("DATABASE", "BROKER", "COLLECTOR", "API")

Finished = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True)
class Stack:
    """The command `tellergrid`, in a home and on ports of the test's own."""

    home: Path
    ports: dict[str, int]

    @property
    def environment(self) -> dict[str, str]:
        """The machine's environment, less what would lead to another stack."""
        mine = {f"TELLERGRID_{name}_PORT": str(port) for name, port in self.ports.items()}
        others = {name: v for name, v in os.environ.items() if not name.startswith("TELLERGRID_")}
        return {**others, **mine, "TELLERGRID_HOME": str(self.home)}

    def run(self, *arguments: str, **environment: str) -> Finished:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-P", "-m", "tellergrid", *arguments],
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S * 2,  # it has patience of its own
            check=False,
        )

    def begin(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start a command and let it run."""
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "tellergrid", *arguments],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def up(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """Bring it up in the background, small and silent, and return what stack.json says."""
        small = ("up", "--detach", "--no-simulator", "--terminals", "4")
        finished = self.run(*small, *arguments, **environment)
        assert finished.returncode == 0, finished.stderr
        return self.record()

    def record(self) -> dict[str, Any]:
        """What stack.json says; empty when there is none."""
        try:
            record: dict[str, Any] = json.loads((self.home / "stack.json").read_text())
        except FileNotFoundError:
            return {}
        return record

    def kill(self, part: str) -> None:
        """kill -9 one recorded process."""
        os.kill(self.record()["processes"][part]["pid"], signal.SIGKILL)


def alive(record: dict[str, Any]) -> list[str]:
    """Name the recorded processes that still run."""
    processes = record["processes"].items()
    return [name for name, process in processes if is_same(process["pid"], process["ticks"])]


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        late = time.monotonic() >= deadline
        if condition():
            return
        assert not late, f"it never came true that {what}"
        time.sleep(0.05)


@pytest.fixture(scope="session")
def home() -> Home:
    """The home the engines are unpacked in, for everybody's tests."""
    return shared_home()


@pytest.fixture
def stack(engines: Engines, home: Home, engine_folder: Path) -> Iterator[Stack]:
    """A stack that does not run yet, and whatever a test does to it, does not run afterwards."""
    assert engines.postgres is not None
    folder = engine_folder / f"home-{next(_NUMBERS)}"
    folder.mkdir(mode=0o755)
    if home.engines.exists():  # installed engines leave nothing to share
        (folder / "engines").symlink_to(home.engines)
    stack = Stack(folder, {name: free_port() for name in _PORTS})
    yield stack
    stack.run("down")
    shutil.rmtree(folder)
