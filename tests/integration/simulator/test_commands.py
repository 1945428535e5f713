"""The commands a tester types: simulate, break, repair."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fleet import demo
from tests.engines import BrokerServer
from tests.machine import PATIENCE_S

TERMINALS = [terminal.code for terminal in demo.grid(1, 4).terminals]


class Shell:
    """Types commands against the broker of one test, as one of its accounts."""

    def __init__(self, server: BrokerServer, home: Path) -> None:
        self._server = server
        self._home = home

    def environment(self, account: str) -> dict[str, str]:
        others = {name: v for name, v in os.environ.items() if not name.startswith("TELLERGRID_")}
        return others | {
            "TELLERGRID_HOME": str(self._home),
            "TELLERGRID_BROKER_URL": self._server.url(account),
            "TELLERGRID_TERMINAL_SECRET": self._server.terminal_secret,
        }

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-P", "-m", "tellergrid", *arguments],
            env=self.environment("tester"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    @contextmanager
    def simulating(self, *command: str) -> Iterator["subprocess.Popen[str]"]:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", *command, "--terminals", "4"],
            env=self.environment("simulator"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            eventually(lambda: self.run("repair", TERMINALS[0]).returncode == 0)
            yield process
        finally:
            process.kill()
            process.communicate()


@pytest.fixture
def shell(broker: BrokerServer, tmp_path: Path) -> Shell:
    broker.add_terminals(*TERMINALS)
    return Shell(broker, tmp_path)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)


def test_a_tester_breaks_a_terminal_and_repairs_it(shell: Shell, tmp_path: Path) -> None:
    """By hand, with a typing error on the way; Ctrl-C ends the fleet in order."""
    terminal = TERMINALS[0]
    with shell.simulating("tellergrid", "simulate", "--scenario", "quiet", "--json") as fleet:
        broken = shell.run("break", terminal, "cardReader.media=jammed", "storage.CST1.count=3")
        assert broken.returncode == 0, broken.stderr
        assert f"{terminal}  cardReader.media = jammed" in broken.stdout
        misspelt = shell.run("break", terminal, "cardReader.media=jamed")
        assert misspelt.returncode == 1
        assert "did you mean 'jammed'?" in misspelt.stderr
        answer = json.loads(shell.run("break", terminal, "offline", "--json").stdout)
        assert answer == {"ok": True, "terminal": terminal, "properties": {"offline": True}}
        assert shell.run("repair", terminal).returncode == 0
        second = shell.run("simulate")
        assert second.returncode == 1
        assert "already plays" in second.stderr
        fleet.send_signal(signal.SIGINT)
        figures, complaints = fleet.communicate(timeout=PATIENCE_S)
        assert fleet.returncode == 0, complaints
        assert json.loads(figures)["unacknowledged"] == 0
    assert (tmp_path / "simulator" / "state.json").exists()


def test_without_a_simulator_the_hands_say_so(shell: Shell) -> None:
    """And end with a status of their own."""
    for command in (("break", TERMINALS[0], "offline"), ("repair", TERMINALS[0])):
        finished = shell.run(*command)
        assert finished.returncode == 3
        assert "no simulator" in finished.stderr


def test_a_missing_setting_is_named_and_no_secret_beside_it(shell: Shell) -> None:
    """The message ends in somebody's log."""
    environment = shell.environment("simulator")
    del environment["TELLERGRID_BROKER_URL"]
    finished = subprocess.run(
        [sys.executable, "-P", "-m", "simulator"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert finished.returncode == 1
    assert finished.stderr == "simulator: TELLERGRID_BROKER_URL: Field required\n"


def test_the_service_plays_until_it_is_told_to_stop(shell: Shell) -> None:
    """As the stack runs it."""
    with shell.simulating("simulator", "--rate", "60") as fleet:
        fleet.send_signal(signal.SIGTERM)
        _, said = fleet.communicate(timeout=PATIENCE_S)
        assert fleet.returncode == 0, said
        events = [json.loads(line)["event"] for line in said.splitlines()]
        assert events[0] == "simulating"
        assert events[-1] == "stopped"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--scenario", "cell-outrage"], "cell-outage"),
        (["--rate", "0"], "above 0"),
    ],
)
def test_what_cannot_be_played_is_refused_in_a_sentence(
    shell: Shell, arguments: list[str], says: str
) -> None:
    """By the command and by the service alike."""
    for module in ("tellergrid simulate", "simulator"):
        finished = subprocess.run(
            [sys.executable, "-P", "-m", *module.split(), *arguments],
            env=shell.environment("simulator"),
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        assert finished.returncode == 1
        assert says in finished.stderr
        assert "Traceback" not in finished.stderr
