"""Published figures: never changed, only followed by a version."""

from datetime import timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.uptime.published import Of, latest, publish
from tests.integration.api.world import BEGAN

MONTH = Of("report", BEGAN, BEGAN + timedelta(days=30), "Asia/Shanghai")


async def test_the_same_again_is_the_same_version(connection: AsyncConnection[TupleRow]) -> None:
    """Whatever the order of its parts; other figures are the next version, the first one stays."""
    async with connection.transaction():
        first = await publish(connection, MONTH, {"up": 1, "cells": ["C001"]}, "ops", "monthly")
        again = await publish(connection, MONTH, {"cells": ["C001"], "up": 1}, "tester", "again")
        assert (first.version, again) == (1, first)
        second = await publish(connection, MONTH, {"up": 2, "cells": ["C001"]}, "ops", "late data")
        assert (second.version, second.body) == (2, {"up": 2, "cells": ["C001"]})
    assert await latest(connection, MONTH) == second
    cursor = await connection.execute("SELECT version, author, body FROM published_figure")
    assert await cursor.fetchall() == [(1, "ops", first.body), (2, "ops", second.body)]
    other = Of("report", MONTH.begin, MONTH.end, "UTC")
    assert await latest(connection, other) is None
