"""Who reads tickets: what they see, and what the lifecycle lets them do."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from api.accounts.caller import SignedIn
from api.scope import Scope
from api.services import running_of
from fleet.tickets.lifecycle import Actor


@dataclass(frozen=True, slots=True)
class Viewer:
    """What they see, as whom they act; `verify` is the verify window."""

    scope: Scope
    actor: Actor
    verify: timedelta


async def _viewer(request: Request, caller: SignedIn) -> Viewer:
    verify = running_of(request).settings.verify_window
    return Viewer(caller.scope, caller.actor, verify)


AsViewer = Annotated[Viewer, Depends(_viewer)]
"""Dependency: somebody who is signed in, as tickets see them."""
