"""Headers of every answer that tell a browser what it must not do with it.

No origin but our own may read answers: there is no CORS. What an answer says itself counts, so a
page may bring a policy of its own.
"""

from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.paths import V1

DOCS = f"{V1}/docs"
_NOTHING = "default-src 'none'; frame-ancestors 'none'"
# The page that shows the OpenAPI loads its program from where FastAPI's template says.
_DOCS_POLICY = (
    "default-src 'none'; frame-ancestors 'none'; connect-src 'self'; "
    "script-src 'unsafe-inline' https://cdn.jsdelivr.net; "
    "style-src 'unsafe-inline' https://cdn.jsdelivr.net; img-src data: https://fastapi.tiangolo.com"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": _NOTHING,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "Strict-Transport-Security": "max-age=31536000",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


_HEADERS = _raw(HEADERS)
_DOCS_HEADERS = _raw(HEADERS | {"Content-Security-Policy": _DOCS_POLICY})


class SecurityHeaders:
    """ASGI middleware around the whole app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, and complete the headers of its answer."""

        async def completing(message: Message) -> None:
            if message["type"] == "http.response.start":
                wanted = _DOCS_HEADERS if scope["path"] == DOCS else _HEADERS
                said = {name.lower() for name, _ in message["headers"]}
                lacking = [header for header in wanted if header[0] not in said]
                message["headers"] = [*message["headers"], *lacking]
            await send(message)

        await self._app(scope, receive, completing)
