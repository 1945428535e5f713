"""The way to a broker that may send us elsewhere.

Rules, after those of the specification:

- A CONNACK or DISCONNECT with USE_ANOTHER_SERVER or SERVER_MOVED may name a server; then that one
  is tried next, under the same account, with the same certificates.
- USE_ANOTHER_SERVER is for once: after that connection we ask at home again. SERVER_MOVED is for as
  long as we live, unless the new place cannot be reached: then, too, we ask at home again.
- Brokers that send us in circles are left alone after `HOPS`.
"""

import asyncio
import re
from dataclasses import replace
from functools import partial

from fleet.mqtt.broker import Broker
from fleet.mqtt.connection import Connection, OnMessage
from fleet.mqtt.dial import dial
from fleet.mqtt.errors import ConnectionLost, MqttError, Refused, Unreachable
from fleet.mqtt.message import Clock, Session, utc_now

HOPS = 4
_ONCE, _FOR_GOOD = "USE_ANOTHER_SERVER", "SERVER_MOVED"
_HOST = r"(?:\[(?P<v6>[0-9A-Fa-f:.]+)\]|(?P<host>[^\s:\[\]]+))"
_REFERENCE = re.compile(_HOST + r"(?::(?P<port>\d{1,5}))?")


async def connect(broker: Broker, session: Session, on_message: OnMessage) -> Connection:
    """Open a session, at the server that the broker names where it names one.

    `on_message` may be called before this returns, hence the connection in it. Raises Unreachable
    (no route, TLS, no CONNACK in time), Refused (the broker's own reason), ProtocolViolation.
    Leaves no socket behind when it fails or is cancelled.
    """
    return await Route(broker).connect(session, on_message)


class Route:
    """Where a broker is by now, over any number of connections."""

    def __init__(self, home: Broker) -> None:
        self._home = home
        self._moved: Broker | None = None
        self._next: Broker | None = None

    @property
    def next(self) -> Broker:
        """Where the next connection goes first."""
        return self._next or self._moved or self._home

    async def connect(
        self, session: Session, on_message: OnMessage, clock: Clock = utc_now
    ) -> Connection:
        """Open a session where we were sent last, else at home; raises what `connect` raises.

        `clock` is that of each message's `at`.
        """
        for _ in range(HOPS):
            broker, self._next = self.next, None
            try:
                connection = await dial(broker, session, on_message, clock)
            except Unreachable:
                self._moved = None
                raise
            except Refused as refusal:
                if not self._sent_on(broker, refusal):
                    raise
                continue
            connection.closed.add_done_callback(partial(self._ended, broker))
            return connection
        self._next = self._moved = None
        raise Unreachable(f"{self._home} sent us on {HOPS} times, last to {broker}")

    def _ended(self, broker: Broker, closed: asyncio.Future[MqttError | None]) -> None:
        if isinstance(error := closed.result(), ConnectionLost):
            self._sent_on(broker, error)

    def _sent_on(self, broker: Broker, error: Refused | ConnectionLost) -> bool:
        """Note where an error sends us; False when it does not."""
        why = "" if error.reason is None else error.reason.name
        if why not in (_ONCE, _FOR_GOOD) or (named := referred(broker, error.server)) is None:
            return False
        if why == _FOR_GOOD:
            self._moved = named
        else:
            self._next = named
        return True


def referred(broker: Broker, reference: str | None) -> Broker | None:
    """The first server of a Server Reference, such as `host:1883 [::1]:8883`, else None.

    Without a port it is the one of the broker that says so.
    """
    found = _REFERENCE.fullmatch(reference.split()[0]) if reference and reference.strip() else None
    if found is None or not 0 < (port := int(found["port"] or broker.port)) < 65536:
        return None
    return replace(broker, host=found["v6"] or found["host"], port=port)
