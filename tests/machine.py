"""The machine that tests run on: it may be slow, busy, or stand still for a while.

`PATIENCE_S`     how long a test waits for what must come; a test that waits for less fails on it
`Pulse`          what a bound in seconds comes to on this machine, while something is measured
`keep_in_memory` lets what tests write lie in memory
"""

import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from types import TracebackType
from typing import Self

PATIENCE_S = 120.0
_BEAT_S = 0.05
_SKIPPED_S = 0.5  # a beat that is later than that: nobody was let run
_START = "import asyncio, httpx, psycopg"
_START_S = 1.0  # how long that takes on a machine that has nothing else to do
_IN_MEMORY = Path("/dev/shm")  # noqa: S108 - the folders in it are made for us alone
_AMPLE = 12 * 1024**3


def keep_in_memory() -> None:
    """Let temporary files lie in memory where there is plenty, those of child processes too.

    Hundreds of databases are made and dropped, each of some 800 files: on a disk the file system is
    what the tests wait for. A process that is killed loses no more in memory than on a disk.
    """
    if "TMPDIR" not in os.environ and _free() >= _AMPLE:
        os.environ["TMPDIR"] = str(_IN_MEMORY)
        tempfile.tempdir = None  # it is chosen anew


def _free() -> int:
    """The bytes that may be written into memory."""
    try:
        about = Path("/proc/meminfo").read_text(encoding="ascii")
        return min(shutil.disk_usage(_IN_MEMORY).free, _available(about))
    except OSError:
        return 0


def _available(about: str) -> int:
    """MemAvailable of proc(5), in bytes."""
    line = next(line for line in about.splitlines() if line.startswith("MemAvailable:"))
    return int(line.split()[1]) * 1024


class Pulse:
    """Beats inside its block, and knows for how long it could not.

    A promise of seconds is one of a machine that does its work. So a bound is as many times longer
    as it takes longer than it should to start an interpreter, and longer by what was stood still.
    """

    def __init__(self) -> None:
        self.stood_still_s = 0.0
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Self:
        """Begin."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End."""
        self._over.set()
        self._thread.join()

    def allows(self, bound_s: float) -> float:
        """What a bound comes to, after the block; what it is, where nothing disturbed."""
        began = time.monotonic()
        subprocess.run([sys.executable, "-c", _START], check=True)
        slowness = max(1.0, (time.monotonic() - began) / _START_S)
        return bound_s * slowness + self.stood_still_s

    def _beat(self) -> None:
        before = time.monotonic()
        while not self._over.wait(_BEAT_S):
            now = time.monotonic()
            late_s = now - before - _BEAT_S
            if late_s > _SKIPPED_S:
                self.stood_still_s += late_s
            before = now
