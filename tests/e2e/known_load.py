"""A load whose every message is known: what was said, and which faults follow from it.

Terminals number their messages, keep them in a journal, say them again until the broker has them,
and send again what they are asked for. Their card readers jam and clear by a seeded plan.
"""

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from mqtt5 import PubAckReasonCode

from fleet.demo import DemoTerminal
from fleet.mqtt import Broker, Connection, Filter, Message, MqttError, Session, connect
from fleet.rules.catalogue import load
from fleet.rules.changes import Cleared, Fired
from fleet.rules.engine import Engine
from fleet.rules.terminal import Terminal
from fleet.telemetry import Resend, Telemetry, decode, decode_command
from fleet.topics import Channel, build

RULES = """
version: "1"
rules:
  - name: jam
    title: Jam
    when: cardReader.media == 'jammed'
    for: %dms
    clear_for: 500ms
    severity: major
    impact: out_of_service
    component: cardReader
    skill: card
    line: 2
    remedy: Look.
  - name: silent
    title: Silent
    silent_for: 30s
    severity: critical
    impact: offline
    component: network
    skill: network
    line: 2
    remedy: Look.
"""
EVERY_S = 0.25
_AT_REST = (2.0, True)
Fault = tuple[str, str, datetime, datetime, datetime | None]
"""Terminal, rule, started, fired, cleared."""


def write_rules(folder: Path, jam_for_s: float = 1.5) -> Path:
    """The catalogue that the load is judged by."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "chaos.yaml").write_text(RULES % (jam_for_s * 1000), encoding="utf-8")
    return folder


@dataclass(slots=True)
class Voice:
    """One terminal: all it ever said, by number, and what it is about to say."""

    terminal: DemoTerminal
    random: random.Random
    journal: list[bytes] = field(default_factory=list)
    jammed: bool = False

    def next(self, *, steady: bool) -> int:
        """Say one thing more, `steady`: that all is well; returns its number."""
        turns = self.random.random() < (0.15 if self.jammed else 0.05)
        self.jammed = not steady and self.jammed != turns
        media = "jammed" if self.jammed else "notPresent"
        seq = len(self.journal) + 1
        body = {
            "ts": datetime.now(UTC).isoformat(),
            "boot": 1,
            "seq": seq,
            "status": {"cardReader": {"media": media}},
        }
        self.journal.append(msgspec.json.encode(body))
        return seq

    def topic(self, channel: Channel) -> str:
        """Its own."""
        return build(self.terminal.region, self.terminal.code, channel)


class KnownLoad:
    """The terminals, in a thread of their own; `play` lets them talk inside its block."""

    def __init__(self, broker: Broker, terminals: Sequence[DemoTerminal], seed: int) -> None:
        self._broker = broker
        self._voices = [Voice(each, random.Random(f"{seed}/{each.code}")) for each in terminals]
        self._by_code = {each.terminal.code: each for each in self._voices}
        self._over = threading.Event()
        self._unsaid: dict[tuple[str, int], None] = {}
        self._manner = _AT_REST
        self._thread = threading.Thread(target=self._run, daemon=True)

    def begin(self) -> None:
        """From now on they talk."""
        self._thread.start()

    @property
    def sent(self) -> dict[str, int]:
        """The last number that each terminal has said so far."""
        return {each.terminal.code: len(each.journal) for each in self._voices}

    @contextlib.contextmanager
    def playing(self, *, faster: int = 1, steady: bool = False) -> Iterator[None]:
        """They talk, `faster` times as fast as usual; `steady`: of nothing new."""
        self._manner = (EVERY_S / faster, steady)
        try:
            yield
        finally:
            self._manner = _AT_REST

    def close(self) -> None:
        """They go."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(10)

    def faults(self, catalogue: Path) -> list[Fault]:
        """What an undisturbed run brings: each message judged when it was said."""
        engine = Engine(load(catalogue).selection())
        said: list[tuple[datetime, str, Telemetry]] = []
        for n, voice in enumerate(self._voices):
            code = voice.terminal.code
            engine.adopt(Terminal(n, code, voice.terminal.kind, "C001"))
            for payload in list(voice.journal):
                message = decode(Channel.TELEMETRY, code, payload)
                assert isinstance(message, Telemetry)
                said.append((message.ts, code, message))
        of = {each.code: each for each in engine.terminals.values()}
        for at, code, message in sorted(said, key=lambda each: each[:2]):
            engine.tick(at)
            engine.telemetry(of[code], message, at)
        return _told(engine.take().changes)

    # In the thread.

    def _run(self) -> None:
        asyncio.run(self._live())

    async def _live(self) -> None:
        while not self._over.is_set():
            with contextlib.suppress(MqttError):
                await self._converse()
            await asyncio.sleep(0.1)

    async def _converse(self) -> None:
        """One connection: first what the one before left unsaid, in order."""
        session = Session("known-load", waiting_line=100_000, keep_alive_s=5, connect_timeout_s=20)
        connection = await connect(self._broker, session, self._asked)
        try:
            await connection.subscribe([Filter("fleet/v1/+/+/command")])
            for code, seq in sorted(self._unsaid, key=lambda each: each[1]):
                self._say(connection, self._by_code[code], seq)
            while not connection.closed.done() and not self._over.is_set():
                began = time.monotonic()
                every_s, steady = self._manner
                for voice in self._voices:
                    self._say(connection, voice, voice.next(steady=steady))
                while self._manner[0] == every_s and not connection.closed.done():
                    left = every_s - (time.monotonic() - began)
                    if left <= 0:
                        break
                    await asyncio.wait({connection.closed}, timeout=min(left, 0.1))
                await asyncio.sleep(0)
            await connection.disconnect()
        finally:
            connection.abort()

    def _say(self, connection: Connection, voice: Voice, seq: int) -> None:
        key = (voice.terminal.code, seq)
        self._unsaid[key] = None
        sent = connection.publish(voice.topic(Channel.TELEMETRY), voice.journal[seq - 1])

        def settled(done: "asyncio.Future[PubAckReasonCode]") -> None:
            if not done.cancelled() and done.exception() is None:
                self._unsaid.pop(key, None)

        sent.add_done_callback(settled)

    def _asked(self, connection: Connection, message: Message) -> None:
        """A resend: from the journal, as it was said."""
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        command = decode_command(message.payload)
        voice = self._by_code.get(message.topic.split("/")[3])
        if voice is None or not isinstance(command, Resend):
            return
        for seq in range(command.first, min(command.last, len(voice.journal)) + 1):
            self._say(connection, voice, seq)


def _told(changes: Sequence[object]) -> list[Fault]:
    cleared = {each.id: each.cleared_at for each in changes if isinstance(each, Cleared)}
    return sorted(
        (each.key.subject, each.rule.name, each.started_at, each.fired_at, cleared.get(each.id))
        for each in changes
        if isinstance(each, Fired)
    )
