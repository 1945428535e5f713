"""One simulated terminal: its device, its journal, its own MQTT connection.

Rules:

- Client id and username are the terminal's id. The last will says `online` false; after every
  CONNACK the birth message says true, then the journal goes on where it was.
- A message leaves the journal's line only by the broker's acknowledgement.
- A line that is down is a connection dropped without a word, and none made until it is up; a half
  open one is kept and never spoken on again.
- A new boot is a new connection: the last will names the boot.
- What waiting does not cure (a wrong password, another client of this name) is tried again all the
  same, once a minute: a fleet does not give up one of its machines.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import structlog
from mqtt5 import PubAckReasonCode

from fleet import telemetry, topics
from fleet.mqtt import (
    Backoff,
    ConnectionLost,
    Filter,
    Message,
    MessageRefused,
    MqttError,
    PublicationRefused,
    Session,
    SubscriptionRefused,
    Will,
    connections,
)
from fleet.quarantine import Quarantined
from fleet.telemetry import Presence, Resend, Result, Telemetry
from fleet.topics import Channel
from simulator.device import Device
from simulator.figures import Figures
from simulator.journal import Journal, Key, key
from simulator.link import Link, OnCommand
from simulator.passage import Passage
from simulator.voice import Entry, Garbage, Line, Moved, Outgoing, local_time

log = structlog.get_logger()

IN_FLIGHT = 20
ANYWAY_AFTER_S = 60.0
KEEP_ALIVE_S = 60
TOPICS = 4  # what a terminal says: status, telemetry, event, result

Open = Callable[[Session, OnCommand], Awaitable[Link]]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all terminals of a fleet share.

    `open` dials the broker as a terminal; `booting` remembers a terminal's new boot, at the latest
    when it dials with it.
    """

    open: Open
    backoff: Backoff
    figures: Figures
    booting: Callable[[str, int], None]
    keep_alive_s: int = KEEP_ALIVE_S
    clock: Callable[[], float] = time.time


class Terminal:
    """Plays one device over MQTT."""

    def __init__(
        self, device: Device, region: str, passage: Passage, surroundings: Surroundings
    ) -> None:
        self.device = device
        self.journal = Journal()
        self._passage = passage
        self._boot = device.boot
        self._around = surroundings
        self.home = self._region = region
        self._topics: dict[Channel, str] = {}
        self._connection: Link | None = None
        self._line_up = asyncio.Event()
        self._line_up.set()
        self._all_said = asyncio.Event()
        self._all_said.set()
        self._leaving = False
        self._silenced: Link | None = None
        self._cut_off = False

    async def run(self) -> None:
        """Stay connected until told to leave."""
        while not self._leaving:
            row = connections(self._dial, self._around.backoff, self._lost)
            try:
                async for connection in row:
                    await self._use(connection)
            except MqttError as error:
                self._lost(error, ANYWAY_AFTER_S)
                await asyncio.sleep(ANYWAY_AFTER_S)

    def advance(self, now: float) -> None:
        """Let the device live until `now`, and send what it says."""
        self.take(self.device.live(now))

    def take(self, entries: list[tuple[float, Entry]]) -> None:
        """Send what the device said, and follow its line up or down."""
        for _, entry in entries:
            if isinstance(entry, Line):
                self._follow(entry)
            elif isinstance(entry, Garbage):
                self._litter(entry)
            elif isinstance(entry, Moved):
                self._move(entry.region or self.home)
            else:
                self.journal.append(entry)
                self._all_said.clear()
        self._pump()

    async def leave(self, patience_s: float) -> None:
        """Say what is still unsaid, then disconnect in order, so that no will fires; `run` ends.

        A terminal that is not connected is not waited for.
        """
        self._leaving = True
        if self._connection is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._all_said.wait(), patience_s)
        if self._connection is not None:
            await self._connection.disconnect()

    def cut(self, *, off: bool) -> None:
        """Let nobody through to the broker, or again, whatever the terminal's own line does."""
        self._cut_off = off
        if off:
            self._line_up.clear()
            if self._connection is not None:
                self._connection.abort()
        elif self.device.linked:
            self._line_up.set()

    def _topic(self, channel: Channel) -> str:
        if channel not in self._topics:
            self._topics[channel] = topics.build(self._region, self.device.code, channel)
        return self._topics[channel]

    def _follow(self, line: Line) -> None:
        if line.up and not self._cut_off:
            self._line_up.set()
        else:
            self._line_up.clear()
        connection = self._connection
        if line.boot != self._boot:
            self._boot = line.boot
            self._around.booting(self.device.code, line.boot)
        elif line.up and self._silenced is None:
            return
        if self._silenced is not None:
            self._silenced.abort()
            self._silenced = None
        if connection is None:
            return
        if not line.up and self._passage.breaks_half_open():
            connection.fall_silent()
            self._silenced = connection
        else:
            connection.abort()

    def _move(self, region: str) -> None:
        """Speak on the topics of another region from now on; the will is for the one it leaves."""
        if region != self._region:
            self._region = region
            self._topics.clear()
            if self._connection is not None:
                self._connection.abort()

    def _litter(self, garbage: Garbage) -> None:
        connection = self._connection
        if connection is not None and not connection.closed.done():
            with contextlib.suppress(MqttError):
                sent = connection.publish(self._topic(Channel(garbage.channel)), garbage.payload)
                sent.add_done_callback(_heard)

    async def _dial(self) -> Link:
        await self._line_up.wait()
        will = Will(self._topic(Channel.STATUS), self._presence(online=False))
        session = Session(
            self.device.code,
            keep_alive_s=self._around.keep_alive_s,
            will=will,
            topic_aliases=TOPICS,
        )
        return await self._around.open(session, self._commanded)

    async def _use(self, connection: Link) -> None:
        self._around.figures.connected += 1
        self._connection = connection
        try:
            await connection.subscribe([Filter(self._topic(Channel.COMMAND))])
            connection.publish(
                self._topic(Channel.STATUS), self._presence(online=True), retain=True
            )
            self.journal.rewind()
            self._pump()
            await asyncio.shield(connection.closed)
        except (ConnectionLost, SubscriptionRefused) as error:
            log.debug("not served", terminal=self.device.code, error=str(error))
        finally:
            self._connection = None
            self._around.figures.connected -= 1
            connection.abort()

    def _pump(self) -> None:
        connection = self._connection
        if connection is None or connection.closed.done():
            return
        while self.journal.in_flight < IN_FLIGHT and (message := self.journal.next()):
            deliveries = self._passage.carry(message)
            if not deliveries and not self._passage.is_held(message):
                self.journal.acknowledge(key(message))  # taken by the broker, and lost there
            for delay_s, each in deliveries:
                if delay_s:
                    asyncio.get_running_loop().call_later(delay_s, self._send, each)
                else:
                    self._send(each)

    def _send(self, message: Outgoing) -> None:
        connection = self._connection
        if connection is None or connection.closed.done():
            return  # the next connection begins with it
        channel = Channel.TELEMETRY if isinstance(message, Telemetry) else Channel.EVENT
        try:
            future = connection.publish(self._topic(channel), telemetry.encode(message))
        except MessageRefused as error:
            self._refused(key(message), error)
            return
        future.add_done_callback(partial(self._answered, key(message), time.perf_counter()))
        self._around.figures.published += 1

    def _answered(
        self, which: Key, sent_at: float, future: "asyncio.Future[PubAckReasonCode]"
    ) -> None:
        error = future.exception()
        if isinstance(error, ConnectionLost):
            return
        if isinstance(error, PublicationRefused):
            self._refused(which, error)
        else:
            self.journal.acknowledge(which)
            self._around.figures.acknowledge(time.perf_counter() - sent_at)
        self._pump()
        if not self.journal.unacknowledged:
            self._all_said.set()

    def _refused(self, which: Key, error: MqttError) -> None:
        self.journal.give_up(which)
        self._trouble(error)

    def _commanded(self, connection: Link, message: Message) -> None:
        try:
            command = telemetry.decode_command(message.payload)
        except Quarantined as error:
            self._reply(connection, message, "unknown", ok=False, detail={"error": str(error)})
        else:
            if isinstance(command, Resend):
                kept, gone = self.journal.resend(command.boot, command.first, command.last)
                detail: dict[str, object] = {"resent": kept, "missing": gone}
                self._reply(connection, message, "resend", ok=not gone, detail=detail)
                self._pump()
            else:
                replied = self._reply(connection, message, "reset", ok=True, detail={})
                replied.add_done_callback(lambda _: self._restart())
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])

    def _reply(
        self,
        connection: Link,
        message: Message,
        op: str,
        *,
        ok: bool,
        detail: dict[str, object],
    ) -> "asyncio.Future[PubAckReasonCode]":
        now = local_time(self._around.clock())
        result = Result(now, self.device.boot, op, ok, detail or None)
        own = self._topic(Channel.RESULT)
        # A terminal may write nowhere else, whatever response topic it is given.
        answer = telemetry.encode(result)
        return connection.publish(own, answer, correlation_data=message.correlation_data)

    def _restart(self) -> None:
        """Go down and come up again, as a machine does: the line drops, the next boot begins."""
        self.take(self.device.restart(self._around.clock()))

    def _presence(self, *, online: bool) -> bytes:
        now = local_time(self._around.clock())
        return telemetry.encode(Presence(now, self.device.boot, online))

    def _lost(self, error: MqttError, delay_s: float) -> None:
        self._around.figures.losses += 1
        if self.device.linked and not self._leaving:
            self._trouble(error)
        log.debug("lost", terminal=self.device.code, error=str(error), again_in_s=delay_s)

    def _trouble(self, error: MqttError) -> None:
        """Count it, and log the first of its kind: thousands would say the same."""
        what = str(error)
        self._around.figures.troubles[what] += 1
        if self._around.figures.troubles[what] == 1:
            log.warning("trouble", terminal=self.device.code, error=what)


def _heard(sent: "asyncio.Future[PubAckReasonCode]") -> None:
    """Take note of what became of garbage: nothing follows from it."""
    if not sent.cancelled():
        sent.exception()
