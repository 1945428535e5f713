"""How many streams an account may have open: of one more than that, the oldest ends.

Each looks into the database at every change, so one account with hundreds of them held up all
others. It is the oldest that ends and not the newest that is refused: a phone that lost its signal
comes back before its last stream is known to be dead.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

MOST = 20


class Places:
    """The streams open in this process, by account, the oldest first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._taken: defaultdict[int, list[asyncio.Event]] = defaultdict(list)

    @contextmanager
    def taken(self, account_id: int) -> Iterator[asyncio.Event]:
        """A place for a stream; what is given is set when it has to make room."""
        of_account = self._taken[account_id]
        if len(of_account) >= self._most:
            of_account.pop(0).set()
        gone = asyncio.Event()
        of_account.append(gone)
        try:
            yield gone
        finally:
            if gone in of_account:
                of_account.remove(gone)
