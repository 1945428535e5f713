"""The folder that holds everything the stack keeps: engines, data, logs, secrets."""

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tellergrid.stack.errors import StackError
from tellergrid.stack.rights import Rights, engine_rights, may_enter, owner

# Where root keeps the home when its own folders are closed to the user the engines run as.
_SHARED = Path("/var/lib/tellergrid")


class AlreadyRunningError(StackError):
    """Another `up` holds this home."""


@dataclass(frozen=True, slots=True)
class Home:
    """The paths under one home, and whose rights the engines have in it."""

    root: Path
    rights: Rights | None

    @property
    def engines(self) -> Path:
        """Private copies of the engines; may be deleted, they are made again."""
        return self.root / "engines"

    @property
    def database(self) -> Path:
        """The database's folder; its data are in `data`."""
        return self.root / "database"

    @property
    def broker(self) -> Path:
        """The broker's files and queues."""
        return self.root / "broker"

    @property
    def logs(self) -> Path:
        """One log a part."""
        return self.root / "log"

    @property
    def secrets(self) -> Path:
        """Passwords and keys, made once; readable by the owner alone."""
        return self.root / "secrets.json"

    @property
    def record(self) -> Path:
        """What runs, and how tools reach it; readable by the owner alone."""
        return self.root / "stack.json"

    @property
    def choices(self) -> Path:
        """The fleet chosen last, which the next start brings up again."""
        return self.root / "fleet.json"

    @property
    def audit(self) -> Path:
        """The exported heads of the audit."""
        return self.root / "audit"

    @property
    def simulator(self) -> Path:
        """What the simulator remembers over a restart."""
        return self.root / "simulator"

    def log(self, part: str) -> Path:
        """The log of one part."""
        return self.logs / f"{part}.log"


def open_home(path: Path) -> Home:
    """Make a home if it is not there, and return it.

    PostgreSQL refuses to run as root, and the user root steps down to may not be let through to
    the place, as under /root: then the home is in /var/lib/tellergrid and `path` is a link to it.
    """
    path = Path(os.path.abspath(path))  # noqa: PTH100 -- resolve() would follow the link itself
    rights = engine_rights()
    if rights is not None and not path.exists() and not may_enter(path, rights):
        _link(path)
    path.mkdir(parents=True, exist_ok=True)
    if not os.access(path, os.W_OK):
        raise StackError(
            f"{path} belongs to another user. Run as that user, or choose another folder: "
            "TELLERGRID_HOME=<folder> tellergrid up"
        )
    root = path.resolve()
    if rights is not None:
        rights = owner(root / "database") or rights
        root.chmod(root.stat().st_mode | 0o011)
    home = Home(root, rights)
    for folder in (home.logs, home.simulator, home.audit):
        folder.mkdir(mode=0o700, exist_ok=True)
    home.database.mkdir(mode=0o755, exist_ok=True)
    return home


def existing_home(path: Path) -> Home | None:
    """Return a home that is there, changing nothing, or None."""
    return Home(path.resolve(), engine_rights()) if path.is_dir() else None


@contextmanager
def held(home: Home) -> Iterator[None]:
    """Hold a home for as long as its stack runs; raises AlreadyRunningError when another does.

    The kernel lets go when the holder dies, however it dies.
    """
    with (home.root / "lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunningError(f"A stack already runs from {home.root}.") from None
        yield


def is_held(home: Home) -> bool:
    """Say whether a supervisor holds the home now."""
    try:
        with held(home):
            return False
    except AlreadyRunningError:
        return True


def _link(path: Path) -> None:
    """Make the home in the shared place, and let the wanted path point to it."""
    digest = hashlib.sha256(str(path).encode()).hexdigest()[:12]
    target = _SHARED / digest
    target.mkdir(parents=True, exist_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # a link to a place that was deleted
    path.symlink_to(target)
