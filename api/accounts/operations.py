"""Who may change what the whole bank goes by: operations and admins."""

from typing import Annotated

from fastapi import Depends

from api.accounts.caller import Caller, SignedIn
from api.errors import Forbidden
from fleet.tickets.lifecycle import Role

_MAY = frozenset({Role.OPERATIONS, Role.ADMIN})


async def _operations(caller: SignedIn) -> Caller:
    if caller.actor.role not in _MAY:
        raise Forbidden("Only operations may do this.")
    return caller


Operations = Annotated[Caller, Depends(_operations)]
"""A caller who is signed in as operations or admin."""
