"""A whole stack that plays a fleet, and people who use it: over HTTP and with a foreign client."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.collector.conftest import wait_for
from tests.integration.tellergrid.conftest import Stack, home, stack
from tests.machine import PATIENCE_S

__all__ = ["Living", "home", "living", "stack", "wait_for"]

EXAMPLES = Path(__file__).parents[2] / "docs/reference/examples"
TERMINALS, CELLS = 20, 2


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody signed in at the api."""

    client: httpx.Client

    def get(self, path: str, **parameters: str) -> Any:
        """The JSON of an answer that must be 200."""
        answer = self.client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def items(self, path: str, **parameters: str) -> list[dict[str, Any]]:
        """The items of a list."""
        found: list[dict[str, Any]] = self.get(path, **parameters)["items"]
        return found


@dataclass(frozen=True, slots=True)
class Living:
    """A running stack with its simulator."""

    stack: Stack
    record: dict[str, Any]
    clients: list[httpx.Client] = field(default_factory=list)

    def sign_in(self, username: str) -> Person:
        """As one of the demo's accounts."""
        (account,) = [a for a in self.record["accounts"] if a["username"] == username]
        client = httpx.Client(base_url=f"{self.record['api']['url']}/api/v1", timeout=PATIENCE_S)
        self.clients.append(client)
        form = {"username": username, "password": account["password"]}
        token = client.post("/token", data=form).raise_for_status().json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return Person(client)

    def command(self, *arguments: str) -> str:
        """Run `tellergrid` and return what it printed; it must succeed."""
        finished = self.stack.run(*arguments)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout

    def status(self) -> dict[str, Any]:
        """`tellergrid status --json`, healthy or not."""
        found: dict[str, Any] = json.loads(self.stack.run("status", "--json").stdout)
        return found

    def publish(self, topic: str, payload: bytes) -> None:
        """With mosquitto_pub, as the tester."""
        broker = self.record["broker"]
        tester = broker["accounts"]["tester"]
        subprocess.run(
            [
                *(self.record["tools"]["mosquitto_pub"], "-V", "mqttv5", "-q", "1"),
                *("-h", broker["host"], "-p", str(broker["port"])),
                *("-u", tester["username"], "-P", tester["password"]),
                *("-t", topic, "-s"),
            ],
            input=payload,
            check=True,
            timeout=PATIENCE_S,
        )

    def publish_example(self, name: str, topic: str, *, boot: int, seq: int) -> None:
        """A documented message, as if it happened now."""
        message = json.loads((EXAMPLES / f"{name}.json").read_text())
        message |= {"ts": datetime.now(UTC).isoformat(), "boot": boot}
        if "seq" in message:
            message["seq"] = seq
        self.publish(topic, json.dumps(message).encode())


@pytest.fixture
def living(stack: Stack) -> Iterator[Living]:
    """Twenty simulated terminals in two cells, all connected."""
    fleet = ("--terminals", str(TERMINALS), "--cells", str(CELLS), "--seed", "1")
    finished = stack.run("up", "--detach", *fleet)
    assert finished.returncode == 0, finished.stderr
    running = Living(stack, stack.record())
    wait_for("every terminal is connected", lambda: _connected(running) == TERMINALS)
    yield running
    for client in running.clients:
        client.close()


def _connected(running: Living) -> int:
    """How many are; none where the simulator has said nothing yet, or the broker not answered."""
    detail: str = running.status()["parts"].get("simulator", {}).get("detail") or ""
    number, _, rest = detail.partition(" ")
    return int(number) if rest.endswith("terminals connected") else 0
