"""The stream of changes over HTTP, as server-sent events."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Header
from fastapi.sse import EventSourceResponse, ServerSentEvent

from api.accounts.caller import SignedInForStream
from api.errors import Unauthenticated
from api.events.position import Position
from api.events.stream import follow, start
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Running

router = Router(V1, tags=["events"])

_EXAMPLE = """\
event: open
data: {}
id: 811-x-0

event: fault
data: {"id":"0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1","change":"fired","terminal":"ATM-0001"}
id: 815-0-42

: ping

"""


async def _beginning(
    _: SignedInForStream,
    running: Running,
    last_event_id: Annotated[
        str | None, Header(description="Go on after this event; without it, from now on")
    ] = None,
) -> Position:
    after = None if last_event_id is None else Position.parse(last_event_id)
    return await start(running, after)


@router.get(
    "/events",
    response_class=EventSourceResponse,
    responses=documented(Unauthenticated)
    | {200: {"content": {"text/event-stream": {"example": _EXAMPLE}}}},
)
async def stream_events(
    caller: SignedInForStream,
    running: Running,
    beginning: Annotated[Position, Depends(_beginning)],
) -> AsyncIterator[ServerSentEvent]:
    """Changes of faults and tickets, as they happen, in order, none left out.

    Events are `fault` and `ticket`; the first is `open`, whose id already is a place to go on from.
    Reconnect with the last id as `Last-Event-ID`. The stream ends with your token.
    """
    yield ServerSentEvent(event="open", id=str(beginning), raw_data="{}", retry=2000)
    async for change in follow(running, caller, beginning):
        yield ServerSentEvent(event=change.event, id=str(change.position), data=change.data)
