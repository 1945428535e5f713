"""The compose file is what Docker Compose itself takes it for."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

from tellergrid.engines.assemble import assemble
from tellergrid.engines.recipe import Recipe
from tellergrid.stack.home import open_home

REPOSITORY = Path(__file__).parents[3]
PLUGIN = "usr/libexec/docker/cli-plugins/docker-compose"
COMPOSE = Recipe(packages=("docker-compose",), executables=(PLUGIN,))


@pytest.fixture(scope="module")
def compose() -> Path:
    """Docker Compose as Debian packages it, unpacked like the engines; it needs no Docker here."""
    home = open_home(Path(os.environ.get("TELLERGRID_HOME", REPOSITORY / ".tellergrid")))
    return assemble(COMPOSE, home.engines, lambda _what, _share: None).root / PLUGIN


@pytest.fixture(scope="module")
def secrets() -> dict[str, str]:
    """What `deploy/make-env` prints."""
    printed = subprocess.run(
        [REPOSITORY / "deploy/make-env"], check=True, capture_output=True, text=True
    ).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


def config(
    compose: Path, environment: dict[str, str], *options: str
) -> "subprocess.CompletedProcess[str]":
    """Ask Compose what it makes of the file, in no environment but the one given."""
    command: list[str | Path] = [compose, "--project-directory", REPOSITORY]
    command += ["--env-file", "/dev/null", "-f", REPOSITORY / "docker-compose.yml"]
    return subprocess.run(
        [*command, *options, "config", "--format", "json"],
        env={"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_compose_takes_the_file_with_the_secrets_that_make_env_writes(
    compose: Path, secrets: dict[str, str]
) -> None:
    """Every service is there, the simulator only under its profile."""
    plain = config(compose, secrets)
    assert plain.returncode == 0, plain.stderr
    services = json.loads(plain.stdout)["services"]
    assert set(services) == {"timescaledb", "init", "mosquitto", "collector", "api"}
    simulated = config(compose, secrets, "--profile", "simulator")
    assert "simulator" in json.loads(simulated.stdout)["services"]


def test_compose_refuses_to_start_without_each_of_the_secrets(
    compose: Path, secrets: dict[str, str]
) -> None:
    """One after another is left out: each time the missing one is named, with what to do."""
    for name in secrets:
        rest = {key: value for key, value in secrets.items() if key != name}
        answer = config(compose, rest, "--profile", "simulator")
        assert answer.returncode != 0, f"{name} is not required"
        assert name in answer.stderr
        assert "deploy/make-env" in answer.stderr


def test_what_runs_on_is_health_checked_and_started_in_order(
    compose: Path, secrets: dict[str, str]
) -> None:
    """Services wait for what they need to be healthy, and all of it for the one run of `init`."""
    services = json.loads(config(compose, secrets).stdout)["services"]
    for name, service in services.items():
        if name != "init":
            assert service["healthcheck"]["test"], name
    for name in ("collector", "api"):
        waits = {other: wait["condition"] for other, wait in services[name]["depends_on"].items()}
        assert waits == {
            "init": "service_completed_successfully",
            "timescaledb": "service_healthy",
            "mosquitto": "service_healthy",
        }


def test_no_port_is_open_beyond_this_machine(compose: Path, secrets: dict[str, str]) -> None:
    """A demo's database on every address of a laptop is an accident waiting."""
    for service in json.loads(config(compose, secrets).stdout)["services"].values():
        for port in service.get("ports", ()):
            assert port["host_ip"] == "127.0.0.1"


def test_images_are_named_by_version(compose: Path, secrets: dict[str, str]) -> None:
    """A tag that moves would bring another broker or database without anyone's doing."""
    services = json.loads(config(compose, secrets).stdout)["services"]
    assert re.fullmatch(r"timescale/timescaledb:[\d.]+-pg17", services["timescaledb"]["image"])
    assert re.fullmatch(r"eclipse-mosquitto:2\.[\d.]+", services["mosquitto"]["image"])
