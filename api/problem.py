"""Errors as the client sees them: one shape, RFC 9457 problem details, from one table."""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import psycopg
import psycopg_pool
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from api.errors import (
    ApiError,
    Conflict,
    Forbidden,
    Invalid,
    MoveRefused,
    NotFound,
    Stale,
    TooMany,
    Unauthenticated,
    Unreachable,
)
from api.routing import methods_of
from fleet.grid.cell import ImportRefused

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("api.problem")


class FieldError(BaseModel):
    """What is wrong with one field of the request."""

    field: str = Field(
        description="Where it is: `query.limit`, `body.event`, `path.id`; of a map or a registry"
        " that is refused, the cell, the terminal, the feature or the line"
    )
    message: str


class Problem(BaseModel):
    """An error, in the shape of RFC 9457 (`application/problem+json`)."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "type": "urn:problem-type:tellergrid:not-found",
                "title": "Not found",
                "status": 404,
                "detail": "There is no terminal ATM-9999.",
            }
        }
    )

    type: str = Field(description="What kind of problem it is; stable, for programs")
    title: str = Field(description="The same for people")
    status: int
    detail: str = Field(description="What happened this time")
    errors: list[FieldError] | None = Field(default=None, description="With 422: which fields")
    allowed: list[str] | None = Field(
        default=None, description="With 409 on a ticket: the events that are allowed now"
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """A row of the table: how an error is answered."""

    status: int
    name: str
    title: str
    headers: tuple[tuple[str, str], ...] = ()
    detail: str | None = None  # where the error's own text is not for clients

    @property
    def uri(self) -> str:
        """The `type` of the problem."""
        return f"urn:problem-type:tellergrid:{self.name}"


_UNAVAILABLE = Kind(
    503,
    "unavailable",
    "Unavailable",
    (("Retry-After", "2"),),
    "The database does not answer; try again.",
)
_INVALID = Kind(422, "invalid", "Invalid request")
_UNSTORABLE = Kind(
    422, "invalid", "Invalid request", detail="A value is outside what the database can hold."
)
_CONTRADICTED = Kind(
    422, "invalid", "Invalid request", detail="It contradicts what is stored by now."
)
_INTERNAL = Kind(500, "internal", "Internal error", detail="This is our fault; it was logged.")

TABLE: Mapping[type[Exception], Kind] = MappingProxyType(
    {
        NotFound: Kind(404, "not-found", "Not found"),
        Unauthenticated: Kind(401, "unauthenticated", "Sign in", (("WWW-Authenticate", "Bearer"),)),
        Forbidden: Kind(403, "forbidden", "Not allowed"),
        MoveRefused: Kind(409, "move-refused", "Not possible now"),
        Conflict: Kind(409, "conflict", "In the way"),
        TooMany: Kind(429, "too-many", "Too many"),
        Unreachable: Kind(503, "unreachable", "Unavailable", (("Retry-After", "5"),)),
        Stale: Kind(412, "stale", "Changed since you read it"),
        Invalid: _INVALID,
        ImportRefused: _INVALID,
        RequestValidationError: _INVALID,
        ClientDisconnect: _INVALID,  # in the middle of its body: nobody hears the answer
        psycopg.DataError: _UNSTORABLE,
        UnicodeEncodeError: _UNSTORABLE,  # half a character, which JSON can say and UTF-8 cannot
        psycopg.IntegrityError: _CONTRADICTED,
        psycopg.OperationalError: _UNAVAILABLE,
        psycopg_pool.PoolTimeout: _UNAVAILABLE,
        psycopg_pool.PoolClosed: _UNAVAILABLE,
        Exception: _INTERNAL,
    }
)


def register(app: FastAPI) -> None:
    """Answer every error of the app in the one shape."""
    for error in TABLE:
        app.add_exception_handler(error, _answer)
    app.add_exception_handler(HTTPException, _answer_http)


def documented(*errors: type[ApiError]) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the errors of a route, besides those that every route has."""
    limited = (TooMany,) if Unauthenticated in errors else ()
    raised = dict.fromkeys((*errors, *limited, RequestValidationError))
    kinds = [TABLE[error] for error in raised] + [_UNAVAILABLE]
    return {
        kind.status: {
            "description": kind.title,
            "content": {
                MEDIA_TYPE: {
                    "schema": {"$ref": "#/components/schemas/Problem"},
                    "example": _example(kind),
                }
            },
        }
        for kind in kinds
    }


def too_large() -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: the refusal of a body that is larger than a route takes."""
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    detail = "The body is larger than this route takes."
    example = {"type": "about:blank", "title": status.phrase, "status": status, "detail": detail}
    schema = {"$ref": "#/components/schemas/Problem"}
    content = {MEDIA_TYPE: {"schema": schema, "example": example}}
    return {int(status): {"description": status.phrase, "content": content}}


def _example(kind: Kind) -> dict[str, Any]:
    example = {"type": kind.uri, "title": kind.title, "status": kind.status}
    example["detail"] = kind.detail or f"{kind.title}: what it was this time."
    if kind is _INVALID:
        example["errors"] = [{"field": "query.limit", "message": "should be 500 or less"}]
    if kind is TABLE[MoveRefused]:
        example["allowed"] = ["assign", "cancel"]
    return example


def of_status(
    status: int, detail: str, headers: Mapping[str, str] = MappingProxyType({})
) -> JSONResponse:
    """The answer to what the framework refuses: its status says what kind of problem it is."""
    title = HTTPStatus(status).phrase
    return _response(
        Problem(type="about:blank", title=title, status=status, detail=detail), headers
    )


async def _answer(_: Request, error: Exception) -> JSONResponse:
    kind = next(TABLE[base] for base in type(error).__mro__ if base in TABLE)
    fields = _fields(error)
    detail = kind.detail or (
        "; ".join(f"{field.field}: {field.message}" for field in fields or ()) or str(error)
    )
    if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("request failed", error=type(error).__name__, problem=kind.name)
    problem = Problem(
        type=kind.uri,
        title=kind.title,
        status=kind.status,
        detail=detail,
        errors=fields,
        allowed=error.allowed if isinstance(error, MoveRefused) else None,
    )
    headers = dict(kind.headers)
    if isinstance(error, TooMany):
        headers["Retry-After"] = str(error.wait_s)
    return _response(problem, headers)


async def _answer_http(request: Request, error: Exception) -> JSONResponse:
    """What the framework raises: an unknown path, a method that is not served, a body too large."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for nothing else
    if error.status_code == HTTPStatus.BAD_REQUEST:  # raised for bodies that are not even text
        return await _answer(request, Invalid("body", "cannot be read"))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:  # which names those of one route
        headers["Allow"] = ", ".join(methods_of(request))
    return of_status(error.status_code, str(error.detail), headers)


def _fields(error: Exception) -> list[FieldError] | None:
    if isinstance(error, Invalid):
        return [FieldError(field=error.field, message=str(error))]
    if isinstance(error, ImportRefused):
        return [FieldError(field=one.where, message=one.what) for one in error.problems]
    if isinstance(error, RequestValidationError):
        return [
            FieldError(field=".".join(map(str, one["loc"])), message=_message(one))
            for one in error.errors()
        ]
    return None


def _message(error: Mapping[str, Any]) -> str:
    if error["type"] == "model_attributes_type":  # a body that is not said to be JSON is a text
        return "must be a JSON object; a body is sent with Content-Type: application/json"
    message: str = error["msg"]
    return message.removeprefix("Value error, ")


def _response(problem: Problem, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse(
        problem.model_dump(exclude_none=True),
        status_code=problem.status,
        headers=dict(headers),
        media_type=MEDIA_TYPE,
    )
