"""`tellergrid up` and its end, in every way an end comes."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
from typing import Any

import httpx
import msgspec
import psycopg
import pytest

from tellergrid.stack.record import Address, BrokerAddress, Record, Running
from tests.engines import BrokerServer
from tests.integration.tellergrid.conftest import Stack, alive, eventually
from tests.machine import PATIENCE_S

PARTS = {"supervisor", "database", "broker", "collector", "api"}


def figures(stack: Stack) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(stack.run("status", "--json").stdout)
    return said


def test_up_comes_alive_and_down_leaves_nothing(stack: Stack) -> None:
    """Up, asked how it is, down: each part is healthy, then gone; passwords are their owner's."""
    record = stack.up()
    assert set(record["processes"]) == PARTS
    assert alive(record) == list(record["processes"])
    for name in ("stack.json", "secrets.json", "fleet.json"):
        assert stat.S_IMODE((stack.home / name).stat().st_mode) == 0o600, name
    healthy = dict.fromkeys(("database", "broker", "collector", "api"), "healthy")

    def all_well() -> bool:
        status = stack.run("status", "--json")
        said = json.loads(status.stdout)
        known = {name: part["state"] for name, part in said["parts"].items()}
        known |= {name: said[name] for name in ("open_faults", "open_tickets")}
        well = known == healthy | {"open_faults": 0, "open_tickets": 0}
        assert well == (status.returncode == 0), status.stdout
        return well

    eventually(all_well, "every part answered in time")
    # The collector's own; the broker publishes its figures every other second.
    eventually(lambda: (figures(stack)["connections"] or 0) >= 1, "the collector was counted")

    down = stack.run("down")
    assert down.returncode == 0
    assert alive(record) == []
    assert stack.record() == {}
    assert stack.run("status").returncode == 3


def test_the_addresses_that_up_prints_answer(stack: Stack) -> None:
    """Each that a reader may follow: the api's own page, and what is measured."""
    stack.up()
    told = re.findall(r"http://\S+?(?=[,\s])", stack.run("up", "--detach").stdout)
    assert len(told) == 3
    for address in told:
        assert httpx.get(address, trust_env=False).status_code == 200, address


def test_the_next_start_has_the_same_data_fleet_and_passwords(stack: Stack) -> None:
    """What was written is there, who got in gets in, and the fleet need not be named again."""
    first = stack.up("--seed", "5")
    again = stack.run("up", "--detach", "--json")
    assert json.loads(again.stdout)["processes"] == first["processes"], "it ran already"
    with psycopg.connect(first["database"]["url"]) as connection:
        connection.execute("INSERT INTO region (code, name) VALUES ('kept', 'Kept')")
    stack.run("down")
    finished = stack.run("up", "--detach", "--no-simulator")
    assert finished.returncode == 0, finished.stderr
    second = stack.record()
    with psycopg.connect(second["database"]["url"]) as connection:
        assert connection.execute("SELECT 1 FROM region WHERE code = 'kept'").fetchone()
        assert connection.execute("SELECT count(*) FROM terminal").fetchone() == (4,)
    for name in ("accounts", "broker", "database", "terminal_secret", "terminals", "seed"):
        assert second[name] == first[name]


def test_what_a_running_stack_does_not_fulfil_is_said(stack: Stack) -> None:
    """Another fleet is asked for, then none at all to be played: down first. The same is fine."""
    background = ("up", "--detach", "--terminals", "4", "--cells", "1", "--seed", "1")
    assert stack.run(*background).returncode == 0
    assert stack.run(*background).returncode == 0
    other = stack.run("up", "--detach", "--terminals", "5", "--cells", "2", "--no-simulator")
    assert other.returncode == 1
    assert "without --terminals 5 --cells 2 --no-simulator" in other.stderr
    assert stack.record()["terminals"] == 4


def test_a_past_that_is_refused_changes_nothing(stack: Stack) -> None:
    """Of another fleet, while a stack runs, and where there is one already."""
    stack.up()
    past = ("backfill", "--days", "0.02", "--terminals")
    running = stack.run(*past, "6")
    assert (running.returncode, "already runs" in running.stderr) == (1, True), running.stderr
    stack.run("down")
    assert json.loads((stack.home / "fleet.json").read_text())["terminals"] == 4
    filled = stack.run(*past, "4")
    assert filled.returncode == 0, filled.stderr
    again = stack.run(*past, "6")
    assert (again.returncode, "history already" in again.stderr) == (1, True), again.stderr
    finished = stack.run("up", "--detach", "--no-simulator")
    assert finished.returncode == 0, finished.stderr
    with psycopg.connect(stack.record()["database"]["url"]) as connection:
        assert connection.execute("SELECT count(*) FROM terminal").fetchone() == (4,)
    assert stack.record()["terminals"] == 4


def test_a_killed_supervisor_leaves_nothing_to_trip_over(stack: Stack) -> None:
    """kill -9: the kernel tells the parts to stop, and the next start is like any other."""
    record = stack.up()
    stack.kill("supervisor")
    eventually(lambda: not alive(record), "every part stopped")
    assert stack.run("status").returncode == 3
    assert alive(stack.up()) == list(stack.record()["processes"])


def test_everything_killed_at_once_is_like_a_power_cut(stack: Stack) -> None:
    """No part had time to tidy up: a stale pid file, a journal to replay, an old record."""
    record = stack.up()
    for process in record["processes"].values():
        os.kill(process["pid"], signal.SIGKILL)
    eventually(lambda: not alive(record), "every part was killed")
    assert (stack.home / "database/data/postmaster.pid").exists()
    assert stack.run("down").returncode == 0
    assert alive(stack.up()) == list(stack.record()["processes"])


def collector_of(stack: Stack) -> int:
    """The number of its process."""
    return int(stack.record()["processes"]["collector"]["pid"])


def test_a_part_that_is_killed_comes_back(stack: Stack) -> None:
    """The supervisor notices, says so, and starts it again; the record has its new number."""
    before = stack.up()["processes"]["collector"]["pid"]
    stack.kill("collector")
    eventually(lambda: collector_of(stack) != before, "it was started again")
    after = collector_of(stack)

    def served() -> bool:
        regions = figures(stack)["regions"] or []
        by_it = [f"-{after}-" in (each["collector"] or "") and each["taken_at"] for each in regions]
        return bool(regions) and all(by_it)

    eventually(served, "it serves every region")
    eventually(lambda: stack.run("status").returncode == 0, "all was healthy again")
    lines = (stack.home / "log/supervisor.log").read_text().splitlines()
    told = [event["event"] for event in map(json.loads, lines) if event["part"] == "collector"]
    assert told == ["started", "died", "started again"]


def test_ctrl_c_stops_everything(stack: Stack) -> None:
    """In the foreground, once it is up."""
    foreground = stack.begin("up", "--no-simulator", "--terminals", "4")
    eventually(lambda: bool(stack.record().get("healthy_once")), "it was up")
    record = stack.record()
    foreground.send_signal(signal.SIGINT)
    assert foreground.wait(PATIENCE_S) == 0
    assert alive(record) == []
    assert stack.record() == {}


def test_ctrl_c_in_the_middle_of_the_start_stops_what_was_started(stack: Stack) -> None:
    """Impatience must not leave a database behind."""
    foreground = stack.begin("up", "--no-simulator", "--terminals", "4")
    eventually(lambda: "database" in stack.record().get("processes", {}), "a part was started")
    record = stack.record()
    foreground.send_signal(signal.SIGINT)
    assert foreground.wait(PATIENCE_S) == 130
    assert alive(record) == []


def test_a_busy_port_is_an_error_that_names_who_to_ask(stack: Stack) -> None:
    """The port, the variable that changes it, and the process that holds it: this one."""
    with socket.create_server(("127.0.0.1", stack.ports["BROKER"])):
        finished = stack.run("up", "--detach")
    assert finished.returncode == 1
    for word in (
        f"Port {stack.ports['BROKER']}",
        "TELLERGRID_BROKER_PORT",
        f"process {os.getpid()}",
    ):
        assert word in finished.stderr
    assert stack.record() == {}


def test_two_parts_are_not_given_one_port(stack: Stack) -> None:
    """The api could not listen, and was called well: the collector, on its port, had answered."""
    taken = str(stack.ports["COLLECTOR"])
    finished = stack.run("up", "--detach", "--no-simulator", TELLERGRID_API_PORT=taken)
    assert finished.returncode == 1
    both = f"TELLERGRID_COLLECTOR_PORT and TELLERGRID_API_PORT are both {taken}"
    assert both in finished.stderr
    assert stack.record() == {}


@pytest.mark.parametrize("port", ["0", "65536"])
def test_a_port_that_is_none_is_named_by_its_variable(stack: Stack, port: str) -> None:
    """Of 0 nobody knew where the part listened, and `up` waited; a greater one was a traceback."""
    finished = stack.run("up", "--detach", "--no-simulator", TELLERGRID_API_PORT=port)
    assert finished.returncode == 2
    assert "error: TELLERGRID_API_PORT: " in finished.stderr


def test_down_touches_nothing_it_did_not_start(stack: Stack) -> None:
    """The record is old, and another process has got one of its numbers since."""
    with subprocess.Popen(["/bin/sleep", "600"]) as bystander:
        stale = Running(bystander.pid, "2026-11-23T00:00:00+00:00", 1)
        nowhere = Address("http://127.0.0.1:1")
        record = Record(
            api=nowhere,
            collector=nowhere,
            broker=BrokerAddress("127.0.0.1", 1, {}),
            database=nowhere,
            accounts=[],
            terminal_secret="",
            seed=1,
            terminals=4,
            cells=None,
            simulator=False,
            versions={},
            tools={},
            processes=dict.fromkeys(PARTS, stale),
        )
        (stack.home / "stack.json").write_bytes(msgspec.json.encode(record))
        assert stack.run("down").returncode == 0
        assert bystander.poll() is None
        bystander.kill()
    assert stack.record() == {}


def test_up_uses_engines_that_are_named(
    stack: Stack, empty_database_url: str, broker: BrokerServer
) -> None:
    """Engines elsewhere: the database is migrated and seeded; neither is started or stopped."""
    record = stack.up(
        TELLERGRID_DATABASE_URL=empty_database_url, TELLERGRID_BROKER_URL=broker.url("tester")
    )
    assert set(record["processes"]) == {"supervisor", "collector", "api"}
    assert record["database"]["url"] == empty_database_url
    assert record["broker"]["accounts"]["collector"]["url"] == broker.url("tester")
    assert stack.run("status").returncode == 0
    stack.run("down")
    assert broker.accepts("tester")
    with psycopg.connect(empty_database_url) as connection:
        assert connection.execute("SELECT count(*) FROM terminal").fetchone() == (4,)
