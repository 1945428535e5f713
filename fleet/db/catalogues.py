"""Which catalogue something is explained by: the one that decided, or was in force then."""

from collections.abc import Iterable
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

from fleet.db import history
from fleet.db.history import Connection
from fleet.rules.catalogue import Catalogue, differing, load
from fleet.rules.explanation import Standing
from fleet.rules.recalled import recall
from fleet.rules.replay import Successor
from fleet.rules.selection import Selection


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


class Term(NamedTuple):
    """A catalogue, and from when on it was in force."""

    since: datetime
    catalogue: Catalogue


async def terms(
    connection: Connection, region: str, since: datetime, until: datetime, last: Chosen
) -> list[Term]:
    """The catalogues in force in a region between two times: a hold that began by one of them went
    on by the next. The `last` alone, where it is not the one they end with."""
    found: list[Term] = []
    for began, identity, content in await history.catalogues_between(
        connection, region, since, until
    ):
        try:
            found.append(Term(began, recall(content, identity)))
        except ValueError:  # by what came before it nothing can be told
            found.clear()
    ends_with = found[-1].catalogue.identity if found else None
    if last.standing is Standing.GIVEN or ends_with != last.catalogue.identity:
        return [Term(since, last.catalogue)]
    return found


def selections(terms: Iterable[Term], *, cells: bool) -> tuple[Selection, list[Successor]]:
    """The rules that a replay begins with, and those it goes over to; without `cells` those about
    terminals alone."""

    def selected(catalogue: Catalogue) -> Selection:
        rules = [each for each in catalogue.rules if cells or each.scope == "terminal"]
        return Selection(rules, catalogue.overrides)

    first, *_ = terms = list(terms)
    successors = [
        Successor(
            after.since,
            selected(after.catalogue),
            differing(before.catalogue.content(), after.catalogue.content()),
        )
        for before, after in pairwise(terms)
    ]
    return selected(first.catalogue), successors
