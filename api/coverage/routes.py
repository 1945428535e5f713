"""Coverage over HTTP."""

from typing import Annotated

from fastapi import Query

from api.accounts.caller import SignedIn
from api.coverage.schemas import Coverage
from api.coverage.store import coverage
from api.errors import NotFound, Unauthenticated
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection

router = Router(f"{V1}/cells", tags=["cells"])


@router.get("/{code}/coverage", responses=documented(Unauthenticated, NotFound))
async def get_coverage(
    code: str,
    caller: SignedIn,
    connection: Connection,
    limit: Annotated[int, Query(ge=0, le=500, description="Of the terminals in `next`")] = 100,
) -> Coverage:
    """What works in a cell now, and how far the next is that can do the same."""
    return await coverage(connection, caller.scope, code, limit)
