"""The rule catalogue over HTTP."""

from api.accounts.caller import SignedIn
from api.errors import Unauthenticated
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.rules.schemas import Catalogue, Rule
from api.services import Running
from fleet.rules.catalogue import describe

router = Router(f"{V1}/rules", tags=["rules"])


@router.get("", responses=documented(Unauthenticated))
async def list_rules(_: SignedIn, running: Running) -> Catalogue:
    """The rule catalogue."""
    catalogue = running.catalogue
    items = [Rule.model_validate(describe(rule)) for rule in catalogue.rules]
    refused = [str(problem) for problem in running.shelf.refused]
    return Catalogue(items=items, identity=catalogue.identity, refused=refused)
