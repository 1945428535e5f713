"""Counts and logs every request by its route's template: the path itself may hold a name."""

from time import perf_counter

import structlog
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics

_log = structlog.get_logger("api.requests")


class RequestLog:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and note its answer when that begins."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun = perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = _template(scope)
                self._metrics.answered(scope["method"], route, message["status"], begun)
                took_ms = round((perf_counter() - begun) * 1000, 1)
                _log.debug(
                    "answered",
                    method=scope["method"],
                    route=route,
                    status=message["status"],
                    took_ms=took_ms,
                )
            await send(message)

        await self._app(scope, receive, noting)


def _template(scope: Scope) -> str:
    """The template of the route that matched; unknown paths are one, or they would never end."""
    return getattr(scope.get("route"), "path", "(none)")
