"""The engines' configuration files say what they must, whoever edits them later."""

import base64
from pathlib import Path

import pytest
import yaml

from tellergrid.engines.locate import MosquittoEngine, PostgresEngine
from tellergrid.stack import mosquitto, postgres

ROOT = Path(__file__).parents[3]
BROKER = mosquitto.BrokerFiles(
    MosquittoEngine(Path("/engine/mosquitto"), Path("/engine"), {}), Path("/home/broker"), 28883
)
CLUSTER = postgres.Cluster(
    PostgresEngine(Path("/engine/bin"), 17, {}), Path("/home/data"), 28432, "p:w/d"
)


def settings(text: str) -> dict[str, str]:
    lines = (line.strip() for line in text.splitlines())
    pairs = (line.replace(" = ", " ").split(" ", 1) for line in lines if line and line[0] != "#")
    return {name: value.strip("'") for name, value in pairs}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listener", "28883 127.0.0.1"),
        ("allow_anonymous", "false"),
        ("password_file", "/home/broker/passwords"),
        ("acl_file", "/home/broker/access"),
        ("persistence", "true"),
        ("persistence_location", "/home/broker/"),
        ("max_queued_messages", "0"),
        ("max_inflight_messages", "0"),
        ("set_tcp_nodelay", "true"),
    ],
)
def test_the_broker_loses_no_message_and_lets_no_stranger_in(name: str, value: str) -> None:
    """The defaults drop queued messages, and queues at a kill; each of these was measured."""
    assert settings(mosquitto.configuration(BROKER))[name] == value


def test_a_message_far_over_the_contracts_limit_still_reaches_quarantine() -> None:
    """2 MiB is the size a test sends; the contract's own limit is 64 KiB."""
    bound = int(settings(mosquitto.configuration(BROKER))["max_packet_size"])
    assert 2 * 2**20 < bound <= 8 * 2**20


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("listen_addresses", "127.0.0.1"),
        ("port", "28432"),
        ("jit", "off"),
        ("shared_preload_libraries", "timescaledb"),
        ("timescaledb.telemetry_level", "off"),
        ("synchronous_commit", "on"),
        ("fsync", "on"),
        ("timezone", "UTC"),
    ],
)
def test_the_database_is_durable_private_and_in_utc(name: str, value: str) -> None:
    """A message is acknowledged because its commit is on disk: these two must stay on."""
    assert settings(postgres.configuration(CLUSTER))[name] == value


MACHINE = {"listen_addresses", "port", "unix_socket_directories", "password_encryption"}
CHOSEN_BY_THE_IMAGE = {
    *("shared_preload_libraries", "timescaledb.max_background_workers", "max_worker_processes"),
    *("shared_buffers", "effective_cache_size", "work_mem", "maintenance_work_mem"),
    *("max_connections", "lc_messages", "datestyle"),
}
DEFAULTS = {"synchronous_commit": "on", "fsync": "on"}
LOGGING = {"log_timezone", "logging_collector", "log_destination", "log_line_prefix"}
LOGGING |= {"log_min_messages", "log_checkpoints"}


def test_the_database_is_told_the_same_under_compose() -> None:
    """But for where it listens and logs, and what the image measures of its machine."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    command = compose["services"]["timescaledb"]["command"].split()
    told = dict(each.split("=") for each in command if "=" in each)
    ours = settings(postgres.configuration(CLUSTER))
    ours = {name: value for name, value in ours.items() if name not in MACHINE | LOGGING}
    assert {name for name in ours if name not in told} == CHOSEN_BY_THE_IMAGE | DEFAULTS.keys()
    assert {name: ours[name] for name in DEFAULTS} == DEFAULTS
    assert {name: value.lower() for name, value in told.items()} == {
        name: ours[name].lower() for name in told
    }


@pytest.mark.parametrize(
    "text",
    [
        mosquitto.configuration(BROKER),
        postgres.configuration(CLUSTER),
        (ROOT / "tellergrid/stack/mosquitto-access.conf").read_text(encoding="utf-8"),
        (ROOT / "deploy/mosquitto.conf").read_text(encoding="utf-8"),
    ],
    ids=["broker", "database", "access", "broker under compose"],
)
def test_every_group_of_lines_begins_with_its_reason(text: str) -> None:
    """What stands together has one; nothing stands alone."""
    groups = [group.splitlines() for group in text.strip().split("\n\n")]
    assert [lines[0] for lines in groups if not lines[0].startswith("#")] == []


def test_a_password_is_quoted_in_the_databases_url() -> None:
    """A colon or a slash in it must not end it."""
    assert CLUSTER.url() == "postgresql://tellergrid:p%3Aw%2Fd@127.0.0.1:28432/tellergrid"
    assert "p:w/d" not in repr(CLUSTER)


def test_a_hash_is_of_the_form_mosquitto_reads() -> None:
    """Method, iterations, salt, digest; the broker's own tool is asked in the integration tests."""
    _, method, iterations, salt, digest = mosquitto.hashed("secret", b"123456789012").split("$")
    assert (method, iterations) == ("7", "101")
    assert base64.b64decode(salt) == b"123456789012"
    assert len(base64.b64decode(digest)) == 64


def test_the_same_password_never_has_the_same_hash() -> None:
    """Each has a salt of its own."""
    assert mosquitto.hashed("secret") != mosquitto.hashed("secret")
