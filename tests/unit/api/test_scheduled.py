"""Background work, without any database."""

import asyncio
import time
from typing import Any

import pytest

from api import scheduled
from api.scheduled import Job, background
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


async def test_work_that_comes_late_is_done_late_and_not_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every hour; at the moment that it is due the machine sleeps, or something holds the loop.

    Left out, it would be done an hour later: or never, where that happens each time.
    """
    monkeypatch.setattr(scheduled, "FIRST_AFTER_S", 0.1)
    done = asyncio.Event()

    class Noted(Job):
        async def run(self) -> None:
            done.set()

    nothing: Any = None
    with scheduled.scheduled(Noted("noted", nothing, nothing, nothing), 3600):
        time.sleep(2)  # noqa: ASYNC251 - nothing else is served meanwhile
        async with asyncio.timeout(PATIENCE_S):
            await done.wait()
