"""The rule catalogue over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query

from api.accounts.caller import SignedIn, require_role
from api.errors import Forbidden, Unauthenticated
from api.instants import GivenInstant
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.rules.schemas import Catalogue, Rule, ShadowCount, ShadowCounts
from api.scope import ENGINE
from api.services import Running
from fleet.db.shadows import shadows
from fleet.rules.catalogue import describe
from fleet.tickets.lifecycle import Role

_WEEK = timedelta(days=7)

router = Router(f"{V1}/rules", tags=["rules"])


@router.get("", responses=documented(Unauthenticated))
async def list_rules(_: SignedIn, running: Running) -> Catalogue:
    """The rule catalogue."""
    catalogue = running.catalogue
    items = [Rule.model_validate(describe(rule)) for rule in catalogue.rules]
    refused = [str(problem) for problem in running.shelf.refused]
    return Catalogue(items=items, identity=catalogue.identity, refused=refused)


@router.get("/shadows", responses=documented(Unauthenticated, Forbidden))
async def count_shadows(
    caller: SignedIn,
    running: Running,
    since: Annotated[
        GivenInstant | None, Query(description="From when on; without it, the last seven days")
    ] = None,
) -> ShadowCounts:
    """What rules on trial have counted in the caller's cells; for operations and admins."""
    require_role(caller, Role.OPERATIONS, Role.ADMIN)
    begin = datetime.now(UTC) - _WEEK if since is None else since
    # The table is the collector's own, closed to callers; what is read is counts of their cells.
    async with running.transaction(ENGINE) as whole:
        found = await shadows(whole, begin, caller.scope.parameter)
    return ShadowCounts(since=begin, items=[ShadowCount.model_validate(each) for each in found])
