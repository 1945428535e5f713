"""The catalogue looked at every other second, and what is said when it has changed."""

import asyncio

import structlog

from collector import metrics
from fleet.rules.shelf import Shelf

log = structlog.get_logger()

_EVERY_S = 2.0
_SAID = 20  # problems in a line of the log; `tellergrid rules check` prints all


async def watch_catalogue(shelf: Shelf) -> None:
    """Take what is sound, refuse what is not; the regions go over between two batches."""
    _show(shelf)
    while True:
        await asyncio.sleep(_EVERY_S)
        if not await asyncio.to_thread(shelf.look):
            continue
        _show(shelf)
        identity = shelf.current.identity
        if shelf.refused:
            metrics.catalogue_reloads.labels("refused").inc()
            problems = [str(problem) for problem in shelf.refused[:_SAID]]
            log.error("catalogue refused", in_force=identity, problems=problems)
        else:
            metrics.catalogue_reloads.labels("taken").inc()
            log.info("catalogue changed", catalogue=identity)


def _show(shelf: Shelf) -> None:
    metrics.catalogue.clear()
    metrics.catalogue.labels(shelf.current.identity).set(1)
    metrics.catalogue_refused.set(len(shelf.refused))
