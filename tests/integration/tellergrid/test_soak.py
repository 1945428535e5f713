"""The soak on engines of its own: exact when it ends, and nothing is left when it is ended."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec

from tellergrid.bench.soak import SoakReport
from tellergrid.engines.locate import Engines
from tellergrid.stack.process import is_same, started_ticks
from tests.engines import shared_home
from tests.integration.tellergrid.conftest import eventually
from tests.machine import PATIENCE_S
from tests.processes import descendants


def soak(engines: Engines, folder: Path, minutes: float) -> "subprocess.Popen[bytes]":
    """Start one, at 100 messages a second of 20 terminals; its folders are made in `folder`."""
    assert engines.postgres is not None  # unpacked
    mine = {"TELLERGRID_HOME": str(shared_home().root), "TMPDIR": str(folder)}
    others = {k: v for k, v in os.environ.items() if not k.startswith("TELLERGRID_")}
    options = ["--minutes", str(minutes), "--per-s", "100", "--terminals", "20", "--json"]
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "tellergrid", "bench", "soak", *options],
        env=others | mine,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_every_message_is_stored_once(engines: Engines, engine_folder: Path) -> None:
    """Six seconds and a kill somewhere in the first minute: exact, and the exit code says so."""
    process = soak(engines, engine_folder, 0.1)
    answer, told = process.communicate(timeout=3 * PATIENCE_S)
    assert process.returncode == 0, told.decode()
    report = msgspec.json.decode(answer, type=SoakReport)
    assert report.exact
    assert (report.sent, report.stored, report.doubled) == (600, 600, 0)


def test_nothing_is_left_when_it_is_asked_to_end(engines: Engines, engine_folder: Path) -> None:
    """SIGTERM while it speaks: publisher, collector, broker, database and their folder go."""
    process = soak(engines, engine_folder, 10)
    eventually(
        lambda: any(b"publisher" in command(pid) for pid in descendants(process.pid)), "it speaks"
    )
    left = {pid: started_ticks(pid) for pid in descendants(process.pid)}
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 128 + signal.SIGTERM
    eventually(
        lambda: not any(t is not None and is_same(pid, t) for pid, t in left.items()), "all end"
    )
    assert not list(engine_folder.glob("tellergrid-bench-*"))


def command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""
