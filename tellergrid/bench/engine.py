"""How fast the rule engine is, alone on one core, and how much memory a terminal takes.

Messages are whole snapshots of an ATM. Metrics differ in every one, as in life; of a share of them
the status differs too: the receipt paper goes from full to low and back.
"""

import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial

import msgspec

from fleet.rules import catalogue
from fleet.rules.engine import Engine
from fleet.rules.rule import Rule
from fleet.rules.terminal import Terminal
from fleet.telemetry import Telemetry, decode
from fleet.topics import Channel

SHARES = (1, 10, 100)
COUNTS = (1_000, 10_000, 100_000)
RUNS = 3
_MESSAGES = 50_000
_TERMINALS = 1_000
_T0 = datetime(2026, 1, 1, tzinfo=UTC)
_CELL_OF = 10  # terminals to a cell

Progress = Callable[[str], None]


class EngineReport(msgspec.Struct, frozen=True):
    """Medians of three runs. Shares are percent of messages whose status changes."""

    us_per_message: dict[str, float]
    kib_per_terminal: dict[str, float]
    us_per_message_by_terminals: dict[str, float]
    start_s_100000: float
    growth: float
    """Cost a message at 100,000 terminals over that at 1,000, one percent changing."""


def measure(progress: Progress) -> EngineReport:
    """Run all of it; takes a few minutes."""
    rules = catalogue.load().rules
    by_share = {}
    for share in SHARES:
        progress(f"{share} % of messages change")
        by_share[str(share)] = _median(partial(_cost, rules, _TERMINALS, share))
    by_count, memory = {}, {}
    for count in COUNTS:
        progress(f"{count:,} terminals")
        by_count[str(count)] = _median(partial(_cost, rules, count, 1))
        memory[str(count)] = _median(partial(_alone, count))
    progress("starting with 100,000 terminals")
    start = _median(partial(_start, rules, COUNTS[-1]))
    return EngineReport(
        us_per_message=by_share,
        kib_per_terminal=memory,
        us_per_message_by_terminals=by_count,
        start_s_100000=start,
        growth=round(by_count[str(COUNTS[-1])] / by_count[str(COUNTS[0])], 2),
    )


def _median(run: Callable[[], float]) -> float:
    return round(statistics.median(run() for _ in range(RUNS)), 2)


def _cost(rules: Sequence[Rule], terminals: int, share: int) -> float:
    """Microseconds a message, decoded already."""
    engine = _engine(rules, terminals)
    for message, number in _stream(terminals, terminals, share, 0):
        engine.telemetry(engine.terminals[number], message, message.ts)
    engine.take()
    messages = list(_stream(_MESSAGES, terminals, share, terminals))
    began = time.process_time()
    for place, (message, number) in enumerate(messages):
        engine.telemetry(engine.terminals[number], message, message.ts)
        if place % 1000 == 0:
            engine.tick(message.ts)
            engine.take()
    return (time.process_time() - began) / len(messages) * 1e6


def _engine(rules: Sequence[Rule], terminals: int) -> Engine:
    engine = Engine(rules)
    engine.watch(_T0)
    for n in range(terminals):
        engine.adopt(Terminal(n, f"ATM-{n:06d}", "atm", f"C{n // _CELL_OF:05d}"))
    return engine


def _alone(terminals: int) -> float:
    """Measure memory in a process of its own, where nothing was freed that could be used again."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as process:
        return process.submit(_memory, terminals).result()


def _memory(terminals: int) -> float:
    """KiB a terminal that was heard once, engine and timers included."""
    rules = catalogue.load().rules
    warm = _engine(rules, 1)
    for message, number in _stream(1, 1, 1, 0):
        warm.telemetry(warm.terminals[number], message, message.ts)
    before = _resident_kib()
    engine = _engine(rules, terminals)
    for message, number in _stream(terminals, terminals, 1, 0):
        engine.telemetry(engine.terminals[number], message, message.ts)
    engine.take()
    return (_resident_kib() - before) / terminals


def _resident_kib() -> float:
    with open("/proc/self/statm", encoding="ascii") as statm:  # noqa: PTH123 - a line of numbers
        return int(statm.read().split()[1]) * resource.getpagesize() / 1024


def _start(rules: Sequence[Rule], terminals: int) -> float:
    """Seconds until an engine has taken on terminals whose state was read from the database."""
    heard = [Terminal(n, f"ATM-{n:06d}", "atm", f"C{n // _CELL_OF:05d}") for n in range(terminals)]
    for terminal in heard:
        terminal.heard_at = _T0
    began = time.process_time()
    engine = Engine(rules)
    for terminal in heard:
        engine.adopt(terminal)
    return time.process_time() - began


def _stream(
    messages: int, terminals: int, share: int, first: int
) -> Iterator[tuple[Telemetry, int]]:
    """Messages by turns from all terminals, `share` percent of them with another paper level."""
    for n in range(first, first + messages):
        number, turn = n % terminals, n // terminals
        yield _message(turn + 1, n, low=is_low(number, turn, share)), number


def snapshot(ts: datetime, seq: int, n: int, *, low: bool) -> str:
    """A whole snapshot of an ATM as its JSON; `n` moves the metrics, `low` the receipt paper."""
    return (
        f'{{"ts":"{ts.isoformat()}","boot":1,"seq":{seq},{_REFRAINS[low]},'
        f'"metrics":{{"temperature_c":{30 + n % 37 / 10},"rtt_ms":{40 + n % 11},'
        '"disk_free_pct":40}}'
    )


def is_low(number: int, turn: int, share: int) -> bool:
    """Whether a terminal's paper is low in a turn, so that `share` percent of messages change."""
    return (number * 7919 + turn) % 100 < share and turn % 2 == 1


def _message(seq: int, n: int, *, low: bool) -> Telemetry:
    text = snapshot(_T0 + timedelta(milliseconds=n), seq, n, low=low)
    message = decode(Channel.TELEMETRY, "ATM", text.encode())
    if not isinstance(message, Telemetry):
        raise TypeError("the benchmark's message is no telemetry")
    return message


STATUS = (
    '{"common":{"device":"online"},"cashDispenser":{"device":"online","intermediateStacker":'
    '"empty","positions":[{"position":"outDefault","shutter":"closed","positionStatus":"empty",'
    '"transport":"ok"}]},"cashManagement":{"dispenser":"ok"},"cardReader":{"device":"online",'
    '"media":"notPresent"},"printer":{"device":"online","paper":{"upper":"%s"},"toner":"full"},'
    '"keyManagement":{"encryptionState":"ready"},"auxiliaries":{"operatorSwitch":"run","safeDoor":'
    '"closed","cabinetDoor":"closed"},"powerManagement":{"info":{"powerInStatus":"powering"},'
    '"batteryStatus":"full"}}'
)
STORAGE = (
    '[{"id":"CST1","status":"ok","replenishmentStatus":"ok","currency":"CNY","value":100,'
    '"count":1312,"capacity":2500},{"id":"CST2","status":"ok","replenishmentStatus":"ok",'
    '"currency":"CNY","value":50,"count":874,"capacity":2500}]'
)
_REFRAINS = [f'"status":{STATUS % paper},"storage":{STORAGE}' for paper in ("full", "low")]
