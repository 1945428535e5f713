"""Windows of time that a request asks for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends, Query

from api.accounts.caller import SignedIn
from api.errors import Invalid
from api.instants import GivenInstant

_DEFAULT_LENGTH = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Window:
    """From `begin` to before `end`; `until` is its end for now: what is to come is not judged."""

    begin: datetime
    end: datetime
    until: datetime


def window(begin: datetime | None, end: datetime | None, now: datetime) -> Window:
    """The last 24 hours, or those before `end`, or from `begin` till now, or just what is given.

    Raises `Invalid` when it is empty.
    """
    end = end or now
    begin = begin or end - _DEFAULT_LENGTH
    if begin >= end:
        raise Invalid("query.from", "must be before `to`, which is now when left out")
    return Window(begin, end, until=max(begin, min(end, now)))


async def _asked(
    caller: SignedIn,
    begin: Annotated[
        GivenInstant | None, Query(alias="from", description="Default: 24 hours before `to`")
    ] = None,
    end: Annotated[GivenInstant | None, Query(alias="to", description="Default: now")] = None,
) -> Window:
    # The database's clock is the one that all stored times are by.
    return window(begin, end, caller.account.at)


AskedWindow = Annotated[Window, Depends(_asked)]
"""The query parameters `from` and `to`."""
