"""The routes of the api: what holds for each of them, whoever writes it.

A router of FastAPI's own is refused by `create_app`, so no route goes without.
"""

from collections.abc import Callable, Coroutine, Sequence
from http import HTTPMethod, HTTPStatus
from typing import Any

from fastapi import APIRouter, Request, Response, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute
from starlette.routing import Match

from api.accounts.caller import said
from api.errors import Forbidden, Invalid
from api.idempotency import SAFE, Claim, Replayed
from api.paths import V1
from fleet.tickets.lifecycle import Role

LARGEST_MAP = 32 * 1024 * 1024  # a whole grid, a whole registry: operations alone send them
_LARGEST_BODY = 64 * 1024


class Route(APIRoute):
    """Keeps the answer to a write that may be sent again, in the transaction of the write.

    A query that is not known is refused: a misspelt filter would answer with what it was to leave
    out, and a misspelt `from` with another day's figures.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, answering from what was kept, or keeping what it answers."""
        handle = super().get_route_handler()
        asked = get_flat_params(self.dependant)
        ours = self.path.startswith(V1)  # who asks for health or metrics may add what they like
        known = sorted({one.alias for one in asked if isinstance(one.field_info, params.Query)})

        async def once(request: Request) -> Response:
            for name in request.query_params:
                if name not in known and ours:
                    raise Invalid(f"query.{name}", _unknown(known))
            try:
                response = await handle(request)
            except Replayed as before:
                return before.response
            claim: Claim | None = getattr(request.state, "claim", None)
            if claim is not None and response.status_code < HTTPStatus.BAD_REQUEST:
                await claim.keep(response)
            return response

        return once


class MapRoute(Route):
    """Asks who sends before it reads what may be a whole map: that takes seconds and a gigabyte."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, for whoever may be of operations; the account has the last word."""
        handle = super().get_route_handler()

        async def asked_first(request: Request) -> Response:
            if request.method not in SAFE:
                claims = await said(request)
                if claims.role not in (None, Role.OPERATIONS, Role.ADMIN):
                    raise Forbidden("Only operations may do this.")
            return await handle(request)

        return asked_first


class Router(APIRouter):
    """A router whose routes are `Route`s, ready to be an app's: it need not be included.

    An included route is made a second time, at the first request, and looked for twice at each.
    """

    def __init__(
        self, prefix: str = "", *, tags: list[str], largest_body: int = _LARGEST_BODY
    ) -> None:
        super().__init__(
            prefix=prefix,
            tags=[*tags],
            route_class=Route if largest_body <= _LARGEST_BODY else MapRoute,
            max_body_size=largest_body,
            generate_unique_id_function=_operation_id,
        )


def _unknown(known: Sequence[str]) -> str:
    return f"is not known here; {', '.join(known)} are" if known else "is not known here: none is"


def _operation_id(route: APIRoute) -> str:
    """An operation is called like the function that does it."""
    return route.name


def require_ours(router: APIRouter) -> None:
    """Raise `TypeError` for a router with a route that is not a `Route`."""
    for route in router.routes:
        if not isinstance(route, Route):
            raise TypeError(f"{route} is not of api.routing: make its router with Router(…)")


def methods_of(request: Request) -> list[str]:
    """What may be asked of the path of a request: there each method is a route of its own."""
    return [
        method
        for method in HTTPMethod
        if any(
            route.matches({**request.scope, "method": method})[0] is Match.FULL
            for route in request.app.routes
        )
    ]
