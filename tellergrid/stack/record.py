"""`stack.json`: what runs, and everything a tool needs to reach it."""

import msgspec

from tellergrid.stack.errors import StackError
from tellergrid.stack.files import write_private
from tellergrid.stack.home import Home
from tellergrid.stack.process import is_same


class Running(msgspec.Struct, frozen=True):
    """A process: its number, when it started, and the same in clock ticks, which tells it apart."""

    pid: int
    started_at: str
    ticks: int

    def alive(self) -> bool:
        """Whether it still runs, and its number was not given to another."""
        return is_same(self.pid, self.ticks)


class Address(msgspec.Struct, frozen=True):
    """Where something answers."""

    url: str


class BrokerAccount(msgspec.Struct, frozen=True):
    """A broker account of ours, and its ready-made URL."""

    username: str
    password: str
    url: str


class BrokerAddress(msgspec.Struct, frozen=True):
    """Where the broker listens, and as whom one may come."""

    host: str
    port: int
    accounts: dict[str, BrokerAccount]


class Account(msgspec.Struct, frozen=True):
    """A person's account at the api."""

    username: str
    password: str
    role: str


class Record(msgspec.Struct):
    """The content of `stack.json`."""

    api: Address
    collector: Address
    broker: BrokerAddress
    database: Address
    accounts: list[Account]
    terminal_secret: str
    seed: int
    terminals: int
    cells: int | None
    simulator: bool
    versions: dict[str, str]
    tools: dict[str, str]
    processes: dict[str, Running] = msgspec.field(default_factory=dict)
    healthy_once: bool = False

    def alive(self) -> dict[str, Running]:
        """The recorded processes that still run."""
        return {name: process for name, process in self.processes.items() if process.alive()}


def write(home: Home, record: Record) -> None:
    """Replace `stack.json`."""
    write_private(home.record, record)


def read(home: Home) -> Record | None:
    """Return what `stack.json` says, or None when there is none that can be read."""
    try:
        return msgspec.json.decode(home.record.read_bytes(), type=Record)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    except PermissionError as problem:
        raise StackError(f"{home.record} belongs to another user: run as that user.") from problem
