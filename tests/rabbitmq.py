"""RabbitMQ as the broker that is unlike ours: Erlang, queues of its own, MQTT 5 by a plug-in.

Unpacked like the engines, for tests alone; one server a run, wiped between tests.

`rabbitmq`   a running server, with the accounts that tests use
"""

import base64
import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from tellergrid.engines.assemble import assemble
from tellergrid.engines.recipe import Recipe
from tellergrid.stack import process
from tellergrid.stack.ports import LOOPBACK, free_port
from tests.engines import accepts, shared_home
from tests.machine import PATIENCE_S

_ERLANG = "usr/lib/erlang/erts-*/bin"
_MONITOR = "usr/lib/erlang/lib/os_mon-*/priv/bin"
_PLAIN = Recipe(
    packages=("rabbitmq-server",),
    executables=(
        *(f"{_ERLANG}/{name}" for name in ("beam.smp", "erlexec", "erl_child_setup")),
        *(f"{_ERLANG}/inet_gethost", f"{_MONITOR}/memsup", f"{_MONITOR}/cpu_sup"),
    ),
    disk_bytes=300_000_000,
)
# Its scripts are in Python and shell; the server itself is started here.
_SCRIPTS = ("python3*", "libpython3*", "dpkg", "tar", "procps", "socat", "libexpat1", "media-types")
RABBITMQ = replace(_PLAIN, without=(*_PLAIN.without, *_SCRIPTS, "libsqlite3-0"))

_CONFIGURATION = """\
listeners.tcp = none
mqtt.listeners.tcp.1 = {host}:{port}
mqtt.allow_anonymous = false
mqtt.prefetch = 1000
load_definitions = {folder}/definitions.json
log.console = true
log.console.level = warning
log.file = false
"""
_EVERYWHERE = ("collector", "tester")
_TERMINALS = ("T-1", "T-2")


@dataclass(slots=True)
class RabbitServer:
    """One node, without the daemon that nodes find one another by; `kill` is a crash."""

    root: Path
    folder: Path
    port: int = field(default_factory=free_port)
    _running: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    host = LOOPBACK

    def password(self, username: str) -> str:
        """Each account's."""
        return f"password-of-{username}"

    def url(self, username: str) -> str:
        """`mqtt://user:password@host:port` for an account."""
        return f"mqtt://{username}:{self.password(username)}@{self.host}:{self.port}"

    def add_terminals(self, *terminals: str) -> None:
        """They are there from the beginning."""
        assert set(terminals) <= set(_TERMINALS)

    def start(self) -> None:
        """Start it on its port and wait until it listens; what is there already is left alone."""
        if self._running is not None and self._running.poll() is None:
            return
        self.folder.mkdir(exist_ok=True)
        (self.folder / "enabled_plugins").write_text("[rabbitmq_mqtt].")
        text = _CONFIGURATION.format(host=self.host, port=self.port, folder=self.folder)
        (self.folder / "rabbitmq.conf").write_text(text)
        (self.folder / "definitions.json").write_text(json.dumps(self._definitions()))
        log = self.folder.with_suffix(".log")
        self._running = process.start(self._program(), log)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline and self._running.poll() is None:
            # It listens before it has read who may come in.
            with contextlib.suppress(OSError):
                if accepts(self.port, "tester", self.password("tester")):
                    return
            time.sleep(0.05)
        raise AssertionError(f"RabbitMQ did not start:\n{log.read_text()[-4000:]}")

    def stop(self) -> None:
        """Stop it in order."""
        if self._running is not None:
            process.stop(self._running, signal.SIGTERM, PATIENCE_S)

    def kill(self) -> None:
        """Crash it."""
        assert self._running is not None
        os.killpg(self._running.pid, signal.SIGKILL)
        self._running.wait()

    def _program(self) -> process.Program:
        [erlang] = self.root.glob(_ERLANG)
        [home] = self.root.glob("usr/lib/rabbitmq/lib/rabbitmq_server-*")
        node, folder = "tellergrid-test@localhost", self.folder
        environment = {
            "ROOTDIR": str(self.root / "usr/lib/erlang"),
            "BINDIR": str(erlang),
            "EMU": "beam",
            "PROGNAME": "erl",
            "HOME": str(folder),
            "ERL_LIBS": str(home / "plugins"),
            "RABBITMQ_HOME": str(home),
            "RABBITMQ_PLUGINS_DIR": str(home / "plugins"),
            "RABBITMQ_NODENAME": node,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_PID_FILE": str(folder / "pid"),
        }
        command = (
            *(str(erlang / "erlexec"), "-noinput", "-boot", "start_sasl", "-s", "rabbit", "boot"),
            *("-sname", node, "-setcookie", "tests", "-start_epmd", "false"),
            *("-erl_epmd_port", str(free_port())),
            *("-kernel", "inet_dist_use_interface", "{127,0,0,1}"),
        )
        return process.Program("rabbitmq", command, environment, folder=folder)

    def _definitions(self) -> dict[str, object]:
        """Who may come in, and what they may say: terminals for themselves alone."""
        everybody = (*_EVERYWHERE, *_TERMINALS)
        anything = {"vhost": "/", "configure": ".*", "write": ".*", "read": ".*"}
        return {
            "users": [
                {"name": name, "password_hash": _hashed(self.password(name)), "tags": []}
                for name in everybody
            ],
            "vhosts": [{"name": "/"}],
            "permissions": [{"user": name, **anything} for name in everybody],
            "topic_permissions": [
                {
                    "user": name,
                    "vhost": "/",
                    "exchange": "amq.topic",
                    "write": rf"^fleet\.v1\.[^.]+\.{name}\.",
                    "read": rf"^fleet\.v1\.[^.]+\.{name}\.",
                }
                for name in _TERMINALS
            ],
        }


def _hashed(password: str) -> str:
    """Four bytes of salt, and SHA-256 of them and the password."""
    salt = os.urandom(4)
    return base64.b64encode(salt + hashlib.sha256(salt + password.encode()).digest()).decode()


@pytest.fixture(scope="session")
def rabbitmq(engine_folder: Path) -> Iterator[RabbitServer]:
    """One server for the whole run; a test that stops it finds it again."""
    copy = assemble(RABBITMQ, shared_home().engines, lambda _what, _share: None)
    server = RabbitServer(copy.root, engine_folder / "rabbitmq")
    server.start()
    yield server
    server.stop()
