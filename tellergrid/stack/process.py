"""Child processes on a leash, and how a process is told from another that got its number later."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tellergrid.stack.rights import Rights

_LEASH = Path(__file__).with_name("leash.py")
_PROC = Path("/proc")
_LONGEST_LOG = 16 * 2**20  # bytes


@dataclass(frozen=True, slots=True)
class Program:
    """What to run: `stop_signal` asks it to end, and is what it gets when its parent dies."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    stop_signal: signal.Signals = signal.SIGTERM
    rights: Rights | None = None
    folder: Path | None = None


def leashed(
    command: Iterable[str],
    stop_signal: signal.Signals = signal.SIGTERM,
    rights: Rights | None = None,
) -> list[str]:
    """Put before a command what ends it when the process that starts it dies.

    The leash is tied to the calling thread: start programs from a thread that lives on.
    """
    whose = f"{rights.uid}:{rights.gid}" if rights else "-"
    leash = (
        sys.executable,
        "-I",
        "-S",
        str(_LEASH),
        str(int(stop_signal)),
        str(os.getpid()),
        whose,
    )
    return [*leash, "--", *command]


def start(program: Program, log: Path) -> "subprocess.Popen[bytes]":
    """Start a program as a child of this process; what it prints is appended to its log.

    A log that grew long is set aside first; the one set aside before goes. See `leashed`.
    """
    if log.exists() and log.stat().st_size > _LONGEST_LOG:
        log.rename(log.with_suffix(".log.old"))
    with log.open("ab") as output:
        return subprocess.Popen(
            leashed(program.command, program.stop_signal, program.rights),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **program.environment},
            cwd=program.folder,
            start_new_session=True,  # Ctrl-C reaches the supervisor alone, which stops in order
        )


def stop(
    process: "subprocess.Popen[bytes]", request: signal.Signals, patience_s: float = 15.0
) -> None:
    """Ask a child to end; kill it when it has not ended in time."""
    if process.poll() is None:
        process.send_signal(request)
        try:
            process.wait(patience_s)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


def started_ticks(pid: int) -> int | None:
    """Return when a process started, in clock ticks since the machine did; None if it is gone.

    A zombie counts as gone.
    """
    try:
        # The name is in parentheses and may hold anything; what follows the last one is regular.
        state, *fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return None if state in {"Z", "X"} else int(fields[18])


def is_same(pid: int, ticks: int) -> bool:
    """Say whether a process seen before still runs, and not another that got its number."""
    return started_ticks(pid) == ticks


def end(pid: int, ticks: int, request: signal.Signals, patience_s: float = 15.0) -> bool:
    """End a process that is not our child, if it still is the one meant; True if it was."""
    if not is_same(pid, ticks):
        return False
    for attempt in (request, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, attempt)
        deadline = time.monotonic() + patience_s
        while time.monotonic() < deadline:
            if not is_same(pid, ticks):
                return True
            time.sleep(0.05)
    return True
