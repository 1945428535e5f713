"""Background work, without any database."""

import asyncio

from api.scheduled import background
from tests.machine import PATIENCE_S


async def test_work_that_misses_its_cancellation_ends_all_the_same() -> None:
    """A driver may turn a cancellation into the error of the query that it hit.

    Work that lives through errors then lives on; asked again, it ends.
    """
    errors = 0

    async def lives_through_errors() -> None:
        nonlocal errors
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                if errors:
                    raise
                errors += 1

    async with asyncio.timeout(PATIENCE_S):
        async with background(lives_through_errors()):
            await asyncio.sleep(0)
    assert errors == 1
