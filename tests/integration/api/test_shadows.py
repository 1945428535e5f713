"""What rules on trial have counted, asked of the api."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tests.integration.api.conftest import SignIn

COUNTED = b"""
    INSERT INTO shadow_fault (id, scope, subject, cell_code, rule, severity, started_at, fired_at,
                              cleared_at, alone, catalogue)
    SELECT gen_random_uuid(), 'terminal', 'ATM-' || n, 'C001', 'fan-slow',
        CASE n WHEN 3 THEN 'warning' ELSE 'major' END, now() - n * interval '3 days',
        now() - n * interval '3 days', CASE n WHEN 1 THEN NULL ELSE now() END, true, 'trial'
    FROM generate_series(1, 3) AS n
"""
SHADOWS = "/api/v1/rules/shadows"


async def test_operations_see_what_rules_on_trial_have_counted(
    connection: AsyncConnection[TupleRow], sign_in: SignIn
) -> None:
    """Three fired in nine days, one is open, one is but a warning; in a week there were two."""
    await connection.execute(COUNTED)
    ops = await sign_in("ops")
    week = (await ops.get(SHADOWS)).json()
    [found] = week["items"]
    assert (found["rule"], found["faults"], found["open"], found["tickets"]) == (
        "fan-slow",
        2,
        1,
        2,
    )
    [every] = (await ops.get(SHADOWS, params={"since": "2000-01-01T00:00:00Z"})).json()["items"]
    assert (every["faults"], every["subjects"], every["tickets"]) == (3, 3, 2)


async def test_a_technician_is_not_told_what_is_on_trial(sign_in: SignIn) -> None:
    technician = await sign_in("tech01")
    assert (await technician.get(SHADOWS)).status_code == 403
