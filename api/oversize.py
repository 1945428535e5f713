"""Bodies that are too large: refused by the framework in plain text, answered in the one shape."""

from http import HTTPStatus

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problem import of_status

_PLAIN = "text/plain"


class Oversize:
    """ASGI middleware around the routes: a plain 413 becomes a problem."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and put the refusal into words."""
        refused = False

        async def rewording(message: Message) -> None:
            nonlocal refused
            if _is_plain_refusal(message):
                refused = True
                answer = of_status(
                    HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is larger than this route takes."
                )
                await answer(scope, receive, send)
            elif not refused:
                await send(message)

        await self._app(scope, receive, rewording)


def _is_plain_refusal(message: Message) -> bool:
    return (
        message["type"] == "http.response.start"
        and message["status"] == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        and Headers(raw=message["headers"]).get("content-type", "").startswith(_PLAIN)
    )
