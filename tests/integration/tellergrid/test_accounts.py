"""Who may come to the broker, and say what there: asked of the real one."""

import base64
import subprocess
from pathlib import Path

import pytest

from fleet.mqtt import Broker, Connection, Message, PublicationRefused, Refused, Session, connect
from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack import mosquitto
from tests.engines import BrokerServer


def test_a_password_is_hashed_as_mosquittos_own_tool_does(
    mosquitto_engine: MosquittoEngine, tmp_path: Path
) -> None:
    """The same password with the salt the tool chose gives the line the tool wrote."""
    file = tmp_path / "passwords"
    tool = mosquitto_engine.clients / "mosquitto_passwd"
    subprocess.run([tool, "-b", "-c", file, "ops", "secret word"], check=True, capture_output=True)
    username, line = file.read_text().strip().split(":")
    assert username == "ops"
    assert mosquitto.hashed("secret word", base64.b64decode(line.split("$")[3])) == line


async def test_a_wrong_password_is_refused(broker: BrokerServer) -> None:
    """And so is nobody."""
    for named in (
        Broker(broker.host, broker.port, "tester", "wrong"),
        Broker(broker.host, broker.port),
    ):
        with pytest.raises(Refused):
            await connect(named, Session("stranger"), ignore)


ALLOWED = [
    ("A-1", "fleet/v1/R1/A-1/telemetry", True),
    ("A-1", "fleet/v1/R1/A-1/result", True),
    ("A-1", "fleet/v1/R1/A-2/telemetry", False),
    ("A-1", "fleet/v1/R1/A-1/command", False),
    ("A-1", "simulator/v1/control", False),
    ("collector", "fleet/v1/R1/A-1/command", True),
    ("collector", "fleet/v1/R1/A-1/telemetry", False),
    ("api", "fleet/v1/R1/A-1/command", True),
    ("api", "fleet/v1/R1/A-1/status", False),
    ("tester", "fleet/v1/R1/A-1/telemetry", True),
    ("tester", "simulator/v1/control", True),
    ("simulator", "simulator/v1/state", True),
    ("simulator", "fleet/v1/R1/A-1/telemetry", False),
]


@pytest.mark.parametrize(("account", "topic", "allowed"), ALLOWED)
async def test_each_account_says_only_what_is_its_own(
    broker: BrokerServer, account: str, topic: str, *, allowed: bool
) -> None:
    """A terminal speaks for itself alone; a service does its own work."""
    broker.add_terminals("A-1")
    connection = await connect(Broker.parse(broker.url(account)), Session("asking"), ignore)
    try:
        publication = connection.publish(topic, b"{}")
        if allowed:
            await publication
        else:
            with pytest.raises(PublicationRefused):
                await publication
    finally:
        await connection.disconnect()


def ignore(_connection: Connection, _message: Message) -> None:
    """Hear nothing."""
