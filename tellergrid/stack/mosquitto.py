"""The embedded Mosquitto: its configuration, its accounts, and when it is ready."""

import base64
import hashlib
import os
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack.errors import StartError
from tellergrid.stack.ports import LOOPBACK
from tellergrid.stack.postgres import tail
from tellergrid.stack.process import Program
from tellergrid.stack.rights import Rights, give, own_folder

SERVICE_ACCOUNTS = ("collector", "api", "tester", "simulator")
_ITERATIONS = 101  # Mosquitto's own; the passwords are long and random, so no more is needed
_SALT_BYTES = 12


@dataclass(frozen=True, slots=True)
class BrokerFiles:
    """A broker: its folder, which holds configuration, accounts and queues, and its port."""

    engine: MosquittoEngine
    folder: Path
    port: int
    rights: Rights | None = None

    @property
    def configuration(self) -> Path:
        """The file the broker is started with."""
        return self.folder / "mosquitto.conf"


def prepare(files: BrokerFiles, accounts: Mapping[str, str]) -> None:
    """Write configuration, access and password files; `accounts` are passwords by username."""
    own_folder(files.folder, files.rights)
    write_accounts(files.folder, accounts, files.rights)
    _write(files.configuration, configuration(files), files.rights)


def write_accounts(folder: Path, accounts: Mapping[str, str], rights: Rights | None = None) -> None:
    """Write who may come in and what they may do; a running broker reads both again on SIGHUP."""
    _write(folder / "passwords", password_file(accounts), rights)
    _write(folder / "access", _text("mosquitto-access.conf"), rights)


def configuration(files: BrokerFiles) -> str:
    """Render `mosquitto.conf`: what is this machine's, then what is the same everywhere."""
    return (
        "# Written at each start. This machine alone may reach it.\n"
        f"listener {files.port} {LOOPBACK}\n\n"
        "# Who may come in, and what they may say and hear; both are read again on SIGHUP.\n"
        f"password_file {files.folder}/passwords\n"
        f"acl_file {files.folder}/access\n\n"
        "# Beside the accounts: queues outlive a restart.\n"
        f"persistence_location {files.folder}/\n\n"
    ) + _text("mosquitto.conf")


def password_file(accounts: Mapping[str, str]) -> str:
    """Render a password file, hashed as `mosquitto_passwd` does."""
    return "".join(f"{name}:{hashed(password)}\n" for name, password in accounts.items())


def hashed(password: str, salt: bytes | None = None) -> str:
    """Hash a password in Mosquitto's `$7$` form: PBKDF2 with SHA-512."""
    salt = os.urandom(_SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    encoded = (base64.b64encode(part).decode() for part in (salt, digest))
    return "$".join(("", "7", str(_ITERATIONS), *encoded))


def program(files: BrokerFiles) -> Program:
    """Say how the broker is run; on SIGTERM it saves its queues."""
    return Program(
        name="broker",
        command=(str(files.engine.broker), "-c", str(files.configuration)),
        rights=files.rights,
        folder=files.folder,
    )


def wait_ready(
    files: BrokerFiles, process: "subprocess.Popen[bytes]", log: Path, patience_s: float = 60.0
) -> None:
    """Return once the broker listens; raise StartError when it ends or takes too long.

    It reads its saved queues first, which may take a while.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline and process.poll() is None:
        try:
            socket.create_connection((LOOPBACK, files.port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise StartError(f"The broker did not start. The end of {log}:\n{tail(log)}")


def _write(path: Path, text: str, rights: Rights | None) -> None:
    """Replace a file whole: a broker told to read it again never sees half of it."""
    new = path.with_name(f"{path.name}.new")
    new.touch(mode=0o600)
    new.write_text(text)
    give(new, rights)
    new.rename(path)


def _text(name: str) -> str:
    return resources.files("tellergrid.stack").joinpath(name).read_text(encoding="utf-8")
