"""The registry of terminals over HTTP, changed by operations."""

from dataclasses import asdict
from datetime import UTC
from typing import Annotated

from fastapi import Body, Path, Query

from api.accounts.caller import Caller
from api.accounts.operations import Operations
from api.errors import Conflict, Forbidden, Invalid, NotFound, Unauthenticated
from api.grid.schemas import NewTerminal, RegistryChanges, TerminalAsked
from api.grid.terminals import decommission, import_terminals, out_of_fleet, registered
from api.paths import V1
from api.problem import documented
from api.routing import LARGEST_MAP, Router
from api.services import Connection
from api.terminals import store
from api.terminals.schemas import Terminal
from fleet.grid import registry
from fleet.grid.cell import Problem
from fleet.grid.datum import Datum, to_wgs84

router = Router(prefix=f"{V1}/terminals", tags=["grid"], largest_body=LARGEST_MAP)

_CHANGE = documented(Unauthenticated, Forbidden)
_CHANGE_OF_ONE = documented(Unauthenticated, Forbidden, NotFound)
_Code = Annotated[str, Path(alias="id", description="The id on the wire")]
_DryRun = Annotated[bool, Query(description="Say what would change, and change nothing")]
_FILE = (
    "code,kind,vendor,model,region,site,latitude,longitude,datum,skills,schedule\n"
    "ATM-0001,atm,vendor-a,A-100,region-01,Site 001-1,30.2741,120.1551,gcj02,cash card,branch\n"
)


@router.post("/import", responses=_CHANGE)
async def import_registry(
    asked: Annotated[str, Body(media_type="text/csv", examples=[_FILE])],
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
    datum: Annotated[
        Datum, Query(description="What coordinates are in whose row does not say")
    ] = Datum.WGS84,
) -> RegistryChanges:
    """Add and change the terminals of a CSV file, all of them, or nothing and every reason."""
    terminals, problems = registry.read(asked, datum)
    return await _changed(connection, caller, terminals, problems, dry_run)


@router.post("", responses=documented(Unauthenticated, Forbidden, Conflict))
async def add_terminal(
    asked: NewTerminal, caller: Operations, connection: Connection, dry_run: _DryRun = False
) -> RegistryChanges:
    """Add a terminal, from now on or from when it is said to be there."""
    await _in_the_fleet(connection, asked.id)
    if await registered(connection, [asked.id]):
        raise Invalid("body.id", f"there is a terminal {asked.id} already")
    return await _changed(connection, caller, [_terminal(asked.id, asked)], [], dry_run)


@router.put("/{id}", responses=documented(Unauthenticated, Forbidden, NotFound, Conflict))
async def change_terminal(
    code: _Code,
    asked: TerminalAsked,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
) -> RegistryChanges:
    """Say what a terminal is and where it stands, from now on."""
    if not await registered(connection, [code]):
        raise NotFound("terminal", code)
    await _in_the_fleet(connection, code)
    return await _changed(connection, caller, [_terminal(code, asked)], [], dry_run)


@router.delete("/{id}", responses=_CHANGE_OF_ONE)
async def decommission_terminal(
    code: _Code, caller: Operations, connection: Connection
) -> Terminal:
    """Take a terminal out of the fleet from now on; its past stays."""
    await decommission(connection, code)
    return await store.terminal(connection, caller.scope, code)


async def _in_the_fleet(connection: Connection, code: str) -> None:
    """Raise `Conflict` for a terminal that was taken out of the fleet."""
    gone = await out_of_fleet(connection, [code])
    if code in gone:
        since = gone[code].astimezone(UTC).isoformat(timespec="seconds")
        raise Conflict(
            f"{code} was taken out of the fleet at {since}; it does not come back under this id:"
            " add it under another one."
        )


def _terminal(code: str, asked: TerminalAsked) -> registry.Registered:
    longitude, latitude = to_wgs84((asked.longitude, asked.latitude), asked.datum)
    return registry.Registered(
        code=code,
        kind=asked.kind,
        vendor=asked.vendor,
        model=asked.model,
        region=asked.region,
        site=asked.site,
        latitude=latitude,
        longitude=longitude,
        cell=asked.cell,
        commissioned_at=asked.commissioned_at,
        skills=None if asked.skills is None else tuple(sorted(set(asked.skills))),
        schedule=asked.schedule,
    )


async def _changed(
    connection: Connection,
    caller: Caller,
    terminals: list[registry.Registered],
    problems: list[Problem],
    dry_run: bool,
) -> RegistryChanges:
    author = caller.account.username
    changes = await import_terminals(
        connection, terminals, problems, author=author, dry_run=dry_run
    )
    return RegistryChanges(**asdict(changes), dry_run=dry_run)
