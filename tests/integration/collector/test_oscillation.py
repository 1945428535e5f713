"""An hour of oscillation, in virtual time: one ticket, marked flapping."""

from datetime import timedelta

import pytest

from api.tickets.engine import Patience, follow_faults
from collector.store import Connection
from tests.integration.tellergrid.test_backtest import GRID, JAMMED, Story, connection

__all__ = ["connection"]

RULE = "card-reader-jammed"
PATIENCE = Patience(accept=timedelta(days=1), verify=timedelta(hours=1))


@pytest.fixture
async def story(connection: Connection) -> Story:
    told = Story(connection)
    await told.desk.restore(told.start)
    told.desk.watch(told.start)
    return told


async def swing(story: Story, connection: Connection, times: int) -> None:
    """Half a minute jammed, half a minute well; tickets follow after each."""
    for n in range(times):
        jammed: dict[str, object] = {"status": JAMMED} if n % 2 else {}
        await story.half_minutes(1, t0=jammed)
        await follow_faults(connection, PATIENCE)
        await connection.commit()


async def test_an_hour_of_oscillation_is_one_ticket_marked_flapping(
    story: Story, connection: Connection
) -> None:
    """Sixty jams of half a minute: one ticket from the first to the last, the fault flaps."""
    await swing(story, connection, 120)
    cursor = await connection.execute(b"SELECT rule, subject, state FROM ticket")
    assert await cursor.fetchall() == [(RULE, GRID.terminals[0].code, "ASSIGNED")]
    faults = await connection.execute(
        b"SELECT cleared_at IS NULL, flapping_at IS NOT NULL, steady_at FROM fault"
        b" WHERE rule = 'card-reader-jammed' ORDER BY started_at"
    )
    *short, last = await faults.fetchall()
    assert last == (True, True, None)
    assert [flaps for _, flaps, _ in short] == [False] * len(short)
    assert len(short) <= 2
