"""Which catalogue something is explained by: the one that decided, or was in force then."""

from datetime import datetime
from typing import NamedTuple

from fleet.db import history
from fleet.db.history import Connection
from fleet.rules.catalogue import Catalogue, load
from fleet.rules.explanation import Standing
from fleet.rules.recalled import recall


class Chosen(NamedTuple):
    """A catalogue, and why it is this one."""

    catalogue: Catalogue
    standing: Standing


async def chosen(
    connection: Connection, region: str, at: datetime, given: Catalogue | None
) -> Chosen:
    """The one given; else the one in force in a region then; else that of the package.

    Raises `LookupError` where the one that was in force cannot be read any more.
    """
    if given is not None:
        return Chosen(given, Standing.GIVEN)
    found = await history.catalogue_at(connection, region, at)
    if found is None:
        return Chosen(load(), Standing.PRESENT)
    identity, content = found
    try:
        return Chosen(recall(content, identity), Standing.IN_FORCE)
    except ValueError as error:
        raise LookupError(f"{identity} was in force: {error}; give a catalogue") from error


async def deciding(connection: Connection, identity: str, present: Catalogue) -> Chosen:
    """The one of this identity; `present` where that was not kept, or cannot be read any more."""
    content = await history.catalogue_content(connection, identity)
    if content is None:
        return Chosen(present, Standing.PRESENT)
    try:
        return Chosen(recall(content, identity), Standing.DECIDED)
    except ValueError:
        return Chosen(present, Standing.PRESENT)
