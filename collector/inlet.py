"""The collector's end of one MQTT connection: packets queued, batches taken out.

The queue needs no bound of its own: the broker sends no more than the receive maximum before we
acknowledge. It belongs to its connection and goes with it; what was in it was not acknowledged, so
the broker delivers it again.
"""

import asyncio
import math
from collections import deque
from datetime import timedelta

import structlog
from mqtt5 import PubAckReasonCode

from collector import metrics
from collector.intake import Arrival
from collector.manners import Ask
from fleet import topics
from fleet.mqtt import (
    Clock,
    Connection,
    Filter,
    MessageRefused,
    PublicationRefused,
    Route,
    Session,
    WaitingLineFull,
)
from fleet.telemetry import encode
from fleet.topics import Channel, subscription

log = structlog.get_logger()

CHANNELS = (Channel.STATUS, Channel.TELEMETRY, Channel.EVENT)
KEEP_ALIVE_S = 5  # a line that went dead unnoticed is found within twice of it
SESSION_EXPIRY_S = 7 * 24 * 3600  # the longest weekend outage the broker bridges for us
GATHER_S = 0.002  # a tenth of the linger: dozens of messages to a read where there are many
REFILL_S = 10 * GATHER_S  # a place in our window that was given back is filled, and that is read
MAXIMUM_PACKET = 8 * 1024 * 1024  # above what our broker lets in: the oversized are seen, not lost


class Inlet:
    """One connection to the broker for one region."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._queue: list[Arrival] = []
        self._given_back: deque[tuple[float, int]] = deque()
        self._arrived = asyncio.Event()
        self.connection: Connection | None = None

    def __len__(self) -> int:
        return len(self._queue)

    @property
    def open_still(self) -> bool:
        """Whether the connection stands, as far as anybody knows."""
        return self.connection is not None and not self.connection.closed.done()

    @property
    def awaited(self) -> int:
        """Places in our window given back so lately that what fills them may not be read yet."""
        given_back, over = self._given_back, asyncio.get_running_loop().time() - REFILL_S
        while given_back and given_back[0][0] <= over:
            given_back.popleft()
        return sum(count for _, count in given_back)

    async def open(self, route: Route, region: str, receive_maximum: int) -> Connection:
        """Connect to the region's persistent session and subscribe; raises `MqttError`."""
        session = Session(
            client_id=f"tellergrid-collector-{region}",
            clean_start=False,
            session_expiry_s=SESSION_EXPIRY_S,
            receive_maximum=receive_maximum,
            keep_alive_s=KEEP_ALIVE_S,
            maximum_packet_size=MAXIMUM_PACKET,
            gather_s=GATHER_S,
        )
        connection = await route.connect(session, self._take, self._clock)
        self.connection = connection
        # Asked for anew each time: whoever opened the session may have died before.
        filters = [Filter(subscription(region, channel)) for channel in CHANNELS]
        try:
            await connection.subscribe(filters)
        except BaseException:
            connection.abort()
            raise
        return connection

    @property
    def quiet(self) -> timedelta:
        """For how long the broker has said nothing, not even that it is there."""
        if self.connection is None:
            return timedelta()
        now = asyncio.get_running_loop().time()
        return timedelta(seconds=now - self.connection.wire.heard_at)

    def _take(self, _connection: Connection, arrival: Arrival) -> None:
        if not self._queue:
            self._arrived.set()
        self._queue.append(arrival)

    async def batch(self, count: int, linger_s: float, patience_s: float) -> list[Arrival]:
        """Up to `count` packets: those there, then those of the next `linger_s` seconds.

        Empty when none came within `patience_s`. They stay ours to acknowledge.
        """
        if not self._queue:
            self._arrived.clear()
            try:
                async with asyncio.timeout(patience_s):
                    await self._arrived.wait()
            except TimeoutError:
                return []
        if len(self._queue) < count:
            await asyncio.sleep(linger_s)
        taken, self._queue = self._queue[:count], self._queue[count:]
        return taken

    def acknowledge(self, arrivals: list[Arrival]) -> None:
        """Tell the broker that these are stored."""
        if self.connection is not None:
            ids = [each.packet_id for each in arrivals if each.packet_id is not None]
            self.connection.acknowledge(ids)
            self._given_back.append((asyncio.get_running_loop().time(), len(ids)))

    def ask(self, region: str, terminal: str, ask: Ask) -> None:
        """Tell a terminal to send a gap again. No answer is awaited: what comes is the answer."""
        if self.connection is None or not self.open_still:
            return
        command = ask.command
        try:
            sent = self.connection.publish(
                topics.build(region, terminal, Channel.COMMAND),
                encode(command),
                response_topic=topics.build(region, terminal, Channel.RESULT),
                correlation_data=f"{command.boot}/{command.first}-{command.last}".encode(),
                message_expiry_s=math.ceil(ask.expiry.total_seconds()),
            )
        except (WaitingLineFull, MessageRefused) as error:
            log.warning("a resend was not asked for", terminal=terminal, error=str(error))
            return
        metrics.resends.inc()
        sent.add_done_callback(_refusal_logged)

    def abort(self) -> None:
        """Drop the connection: what was not acknowledged will come again."""
        if self.connection is not None:
            self.connection.abort()

    async def close(self) -> None:
        """Disconnect in good order; the broker keeps the session."""
        if self.connection is not None:
            await self.connection.disconnect()


def _refusal_logged(sent: asyncio.Future[PubAckReasonCode]) -> None:
    """A broker that forbids us to write commands is a mistake in its access list."""
    error = None if sent.cancelled() else sent.exception()
    if isinstance(error, PublicationRefused):
        log.error("the broker refuses our commands", error=str(error))
