"""Remarks and attachments over HTTP."""

from typing import Annotated, Any

from fastapi import Path, Query, Request, Response

from api.accounts.caller import Caller, SignedIn, require_role
from api.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented, too_large
from api.remarks import store
from api.remarks.file import BEGINNINGS, LARGEST, taken
from api.remarks.schemas import Attachment, NewRemark, Remark
from api.routing import Router
from api.services import Connection
from fleet.tickets.lifecycle import Role

router = Router(f"{V1}/tickets/{{id}}", tags=["tickets"])

_Id = Annotated[int, Path(alias="id", ge=1, le=2_147_483_647)]
_Number = Annotated[int, Path(ge=1, le=2**63 - 1)]
_Name = Annotated[str, Query(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")]
_BINARY = {"schema": {"type": "string", "format": "binary"}}
_BODY: dict[str, Any] = {
    "requestBody": {"required": True, "content": dict.fromkeys(BEGINNINGS, _BINARY)}
}
_CONTENT: dict[str, Any] = {
    "description": "The file as it was sent",
    "content": {name: _BINARY | {"example": "…"} for name in BEGINNINGS},
}


@router.get("/remarks", responses=documented(Unauthenticated, NotFound))
async def list_remarks(
    key: _Id, caller: SignedIn, connection: Connection, page: AskedPage
) -> Page[Remark]:
    """Comments and work notes, in order."""
    rows = await store.remarks(connection, caller, key, page.after(int), page.rows)
    return page.page(rows, lambda remark: remark.id)


@router.post("/remarks", responses=documented(Unauthenticated, Forbidden, NotFound))
async def add_remark(
    key: _Id, asked: NewRemark, caller: SignedIn, connection: Connection
) -> Remark:
    """Add a comment or a work note; it stays as it is."""
    _require_worker(caller)
    return await store.add_remark(connection, caller, key, asked)


@router.get("/attachments", responses=documented(Unauthenticated, NotFound))
async def list_attachments(key: _Id, caller: SignedIn, connection: Connection) -> Page[Attachment]:
    """The files of a ticket, in order, without their content."""
    return Page(items=list(await store.attachments(connection, caller, key)))


@router.post(
    "/attachments",
    max_body_size=LARGEST,
    openapi_extra=_BODY,
    responses=documented(Unauthenticated, Forbidden, NotFound, Conflict) | too_large(),
)
async def attach(
    key: _Id, name: _Name, request: Request, caller: SignedIn, connection: Connection
) -> Attachment:
    """Add a photo or a document: the body is the file, of 5 MiB at the most; twenty a ticket."""
    _require_worker(caller)
    body = await request.body()
    if not body:
        raise Invalid("body", "is empty")
    file = taken(name, request.headers.get("content-type"), body)
    return await store.attach(connection, caller, key, file)


@router.get(
    "/attachments/{number}",
    response_class=Response,
    responses=documented(Unauthenticated, NotFound) | {200: _CONTENT},
)
async def get_attachment(
    key: _Id, number: _Number, caller: SignedIn, connection: Connection
) -> Response:
    """A file as it was sent, to be saved."""
    file = await store.content(connection, caller, key, number)
    headers = {"Content-Disposition": file.disposition}
    return Response(file.content, media_type=file.media_type, headers=headers)


def _require_worker(caller: Caller) -> None:
    require_role(caller, Role.TECHNICIAN, Role.OPERATIONS, Role.ADMIN)
