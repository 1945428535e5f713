"""The tester's hands, on the simulator's side: requests in, answers out, the figures retained.

`simulator/v1/control` takes a request as JSON, with MQTT 5's response topic and correlation data:

    {"op": "break", "terminal": "ATM-0001", "set": {"cardReader.media": "jammed"}}
    {"op": "repair", "terminal": "ATM-0001"}
    {"op": "silence", "terminal": "ATM-0001"}
    {"op": "jump-clock", "terminal": "ATM-0001", "ahead_s": -7200}
    {"op": "move", "terminal": "ATM-0001", "region": "region-02"}
    {"op": "ping"}

The answer is {"ok": true, …} or {"ok": false, "error": "…"}. `simulator/v1/state` holds the
figures, retained, with a last will that says `online` false.
"""

import asyncio
import difflib
import random
from collections.abc import Mapping

import msgspec
import structlog

from fleet.mqtt import (
    Backoff,
    Broker,
    Connection,
    ConnectionLost,
    Filter,
    Message,
    MqttError,
    Session,
    Will,
    connect,
    connections,
)
from simulator.errors import RequestError
from simulator.figures import Summary
from simulator.fleet import Fleet
from simulator.properties import ELSEWHERE, SILENT
from simulator.terminal import Terminal

log = structlog.get_logger()

CONTROL = "simulator/v1/control"
STATE = "simulator/v1/state"
CLIENT_ID = "simulator"
PUBLISH_EVERY_S = 2.0
_POSITION = "common.devicePosition"
_OFFLINE_STATE = b'{"online":false}'


class Break(msgspec.Struct, frozen=True, tag_field="op", tag="break"):
    """Set properties of a terminal, until it is repaired."""

    terminal: str
    set: dict[str, str | float | int | bool]


class Repair(msgspec.Struct, frozen=True, tag_field="op", tag="repair"):
    """Put everything about a terminal in order."""

    terminal: str


class Silence(msgspec.Struct, frozen=True, tag_field="op", tag="silence"):
    """Let a terminal's software hang, its line standing, until it is repaired."""

    terminal: str


class JumpClock(msgspec.Struct, frozen=True, tag_field="op", tag="jump-clock"):
    """Let a terminal's clock be wrong by so many seconds more; `repair` sets it right."""

    terminal: str
    ahead_s: float


class Move(msgspec.Struct, frozen=True, tag_field="op", tag="move"):
    """Take a terminal from its place; with a region it speaks on that one's topics instead."""

    terminal: str
    region: str | None = None


class Ping(msgspec.Struct, frozen=True, tag_field="op", tag="ping"):
    """Ask whether a simulator is there."""


Request = Break | Repair | Silence | JumpClock | Move | Ping


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What became of a request; `properties` are those that changed."""

    ok: bool
    error: str | None = None
    terminal: str | None = None
    properties: dict[str, str | float | int | bool] | None = None
    elsewhere: bool = False


_REQUESTS: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)


class Control:
    """Serves the requests for one fleet."""

    def __init__(self, fleet: Fleet, broker: Broker) -> None:
        part, parts = fleet.share
        suffix = f"/{part}" if parts > 1 else ""
        self._state, self._client_id = f"{STATE}{suffix}", f"{CLIENT_ID}{suffix}"
        self._fleet = fleet
        self._broker = broker
        self._connection: Connection | None = None

    async def run(self) -> None:
        """Serve until cancelled; raises what reconnecting does not cure."""
        backoff = Backoff(random.Random())  # noqa: S311 - spreads reconnecting
        async for connection in connections(self._dial, backoff, _lost):
            self._connection = connection
            try:
                await connection.subscribe([Filter(CONTROL)])
                await self._tell(connection)
            except ConnectionLost:
                continue
            finally:
                self._connection = None
                connection.abort()

    async def leave(self) -> None:
        """Say that the simulator is gone, and disconnect."""
        if (connection := self._connection) is not None:
            connection.publish(self._state, _OFFLINE_STATE, retain=True)
            await connection.disconnect()

    def answer(self, payload: bytes) -> Answer:
        """Do what a request asks for."""
        try:
            request = _REQUESTS.decode(payload)
            if isinstance(request, Ping):
                return Answer(ok=True)
            if self._fleet.share[1] > 1 and request.terminal not in self._fleet.terminals:
                return Answer(ok=False, elsewhere=True)
            return self._do(request, self._terminal(request.terminal), self._fleet.now())
        except (RequestError, msgspec.DecodeError) as error:
            return Answer(ok=False, error=str(error))

    def _do(
        self, request: Break | Repair | Silence | JumpClock | Move, terminal: Terminal, now: float
    ) -> Answer:
        code = request.terminal
        match request:
            case Repair():
                terminal.take(terminal.device.repair(now))
            case JumpClock():
                terminal.take(terminal.device.set_clock(request.ahead_s, now))
            case Move() if request.region is not None:
                return self._move(terminal, code, request.region, now)
            case Move():
                return self._break(terminal, code, {_POSITION: "notInPosition"}, now)
            case Silence():
                return self._break(terminal, code, {SILENT: True}, now)
            case Break():
                return self._break(terminal, code, request.set, now)
        return Answer(ok=True, terminal=code)

    def _move(self, terminal: Terminal, code: str, region: str, now: float) -> Answer:
        if region not in self._fleet.regions:
            known = ", ".join(self._fleet.regions)
            raise RequestError(f"no region {region!r}; there is {known}")
        if region == terminal.home:
            raise RequestError(f"{code} belongs to {region}; repair brings it back there")
        return self._break(terminal, code, {ELSEWHERE: region}, now)

    def _break(
        self, terminal: Terminal, code: str, wanted: Mapping[str, object], now: float
    ) -> Answer:
        if not wanted:
            raise RequestError("nothing to set")
        before = terminal.device.properties()
        terminal.take(terminal.device.set_by_hand(wanted, now))
        after = terminal.device.properties()
        changed = {path: value for path, value in after.items() if before.get(path) != value}
        return Answer(ok=True, terminal=code, properties=changed)

    def _terminal(self, code: str) -> Terminal:
        terminals = self._fleet.terminals
        if code not in terminals:
            near = difflib.get_close_matches(code, terminals, n=1)
            perhaps = f"; did you mean {near[0]!r}?" if near else ""
            raise RequestError(f"no terminal {code!r} is simulated here{perhaps}")
        return terminals[code]

    async def _dial(self) -> Connection:
        session = Session(self._client_id, keep_alive_s=20, will=Will(self._state, _OFFLINE_STATE))
        return await connect(self._broker, session, self._requested)

    async def _tell(self, connection: Connection) -> None:
        last: Summary | None = None
        while not connection.closed.done():
            summary = self._fleet.summary()
            if summary != last:
                connection.publish(self._state, msgspec.json.encode(summary), retain=True)
                last = summary
            await asyncio.wait((connection.closed,), timeout=PUBLISH_EVERY_S)

    def _requested(self, connection: Connection, message: Message) -> None:
        answer = self.answer(message.payload)
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        if answer.elsewhere:
            return  # another part of the fleet has it, and answers
        log.info("asked", ok=answer.ok, terminal=answer.terminal, error=answer.error)
        if message.response_topic is not None:
            connection.publish(
                message.response_topic,
                msgspec.json.encode(answer),
                correlation_data=message.correlation_data,
            )


def _lost(error: MqttError, delay_s: float) -> None:
    log.warning("control lost", error=str(error), again_in_s=round(delay_s, 1))
