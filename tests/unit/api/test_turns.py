"""How many connections an account has at a time."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from api.errors import TooMany
from api.turns import Turns


async def test_who_has_several_waits_and_others_do_not() -> None:
    """The third of one account is refused in time; another account's first is not."""
    turns = Turns(2)
    async with AsyncExitStack() as stack:
        for account in ("one", "one", "another"):
            await stack.enter_async_context(turns.taken(account, 0.01))
        with pytest.raises(TooMany):
            async with turns.taken("one", 0.01):
                pass
    async with turns.taken("one", 0.01), turns.taken("one", 0.01):
        assert list(turns._turns) == ["one"]
    assert not turns._turns


async def test_who_waits_is_served_in_turn_and_who_goes_leaves_nothing() -> None:
    """One who waits gives up, the other has the turn that falls free."""
    turns = Turns(1)
    served: list[str] = []

    async def ask(name: str) -> None:
        async with turns.taken("one", 60):
            served.append(name)

    async with turns.taken("one", 60):
        gone, stays = (asyncio.create_task(ask(name)) for name in ("gone", "stays"))
        await asyncio.sleep(0)
        gone.cancel()
    await asyncio.gather(gone, stays, return_exceptions=True)
    assert served == ["stays"]
    assert not turns._turns
