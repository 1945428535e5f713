"""A database that was in use at an earlier version, with data in it, comes up to this one."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from fleet.db import migrate as migration
from fleet.db.migrate import available, migrate
from fleet.db.pool import connect
from tests.integration.api.test_scheduled import until

_IN_USE = """
    INSERT INTO region VALUES ('r1', 'Region 1');
    INSERT INTO cell (code, name, level, boundary) VALUES ('D1', 'District', 0, '{}');
    INSERT INTO terminal (code, kind, vendor, model, region_code, site, latitude, longitude,
        commissioned_at) VALUES ('ATM-1', 'atm', 'v', 'm', 'r1', 'Site', 30, 120, now());
    INSERT INTO terminal_cell (terminal_id, cell_code, valid, method)
        VALUES (1, 'D1', tstzrange(now(), NULL), 'override');
    INSERT INTO technician (code, name) VALUES ('T1', 'Technician');
    INSERT INTO technician_cell (technician_id, cell_code) VALUES (1, 'D1');
    INSERT INTO account (username, password_hash, role, technician_id)
        VALUES ('t1', '-', 'technician', 1);
    INSERT INTO service_interval (terminal_id, state, period) VALUES
        (1, 'in_service', tstzrange(now() - interval '2 days', now() - interval '1 hour')),
        (1, 'out_of_service', tstzrange(now() - interval '1 hour', NULL));
    INSERT INTO fault (id, scope, subject, terminal_id, cell_code, rule, severity, component,
        impact, title, remedy, skill, line, started_at, fired_at, catalogue)
        VALUES (gen_random_uuid(), 'terminal', 'ATM-1', 1, 'D1', 'card_reader_jammed', 'major',
            'cardReader', 'out_of_service', 'Jammed', '', 'card', 2, now(), now(), '1+test');
    INSERT INTO fault_change (fault_id, change, at) SELECT id, 'fired', now() FROM fault;
    INSERT INTO ticket (fault_id, scope, subject, rule, terminal_id, cell_code, severity, component,
        title, remedy, skill, line, state)
        SELECT id, scope, subject, rule, terminal_id, cell_code, severity, component, title, remedy,
            skill, line, 'NEW' FROM fault;
    INSERT INTO ticket_transition (ticket_id, event, from_state, to_state, account_id, actor, role)
        VALUES (1, 'raise', NULL, 'NEW', NULL, 'engine', 'engine'),
            (1, 'decline', 'ASSIGNED', 'NEW', 1, 't1', 'technician');
"""
_CATALOGUE = """
    INSERT INTO catalogue (identity, version, digest, content) VALUES ('1+test', '1', 'test', '{}');
    INSERT INTO region_catalogue (region_code, identity) VALUES ('r1', '1+test');
"""


@pytest.mark.parametrize("version", [12, 20, 30, 40])
async def test_a_database_in_use_comes_up_to_this_version(
    empty_database_url: str, version: int
) -> None:
    """What there is stays; what is kept since has what was so before."""
    async with await connect(empty_database_url, name="test", autocommit=True) as connection:
        await migrate(connection, upto=version)
        await connection.execute(_IN_USE.encode())
        if version >= 14:
            await connection.execute(_CATALOGUE.encode())
        ran = await migrate(connection)
        assert len(ran) == len(available()) - version
        cards = await connection.execute("SELECT id, state, cell FROM ticket_card")
        assert await cards.fetchall() == [(1, "NEW", "D1")]
        steps = await connection.execute(
            "SELECT event, refused_by FROM ticket_transition ORDER BY id"
        )
        refused_by = 1 if version < 13 else None
        assert await steps.fetchall() == [("raise", None), ("decline", refused_by)]
        people = await connection.execute("SELECT lower_inf(valid) FROM technician_cell_version")
        assert await people.fetchall() == [(version < 31,)]
        day = "tstzrange(now() - interval '1 day', now())"
        figures = await connection.execute(
            f"SELECT state FROM effective_interval({day}, '{{1}}')".encode()
        )
        assert sorted(await figures.fetchall()) == [("in_service",), ("out_of_service",)]


async def test_who_is_killed_while_migrating_leaves_nothing_half_done(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that waited for it does it instead."""
    *before, last = available()
    slow = replace(last, statements=f"{last.statements}\nSELECT pg_sleep(600);")
    monkeypatch.setattr(migration, "available", lambda: [*before, slow])
    async with (
        await connect(empty_database_url, name="killed", autocommit=True) as killed,
        await connect(empty_database_url, name="other", autocommit=True) as other,
    ):
        working = asyncio.create_task(migrate(killed))
        asleep = "SELECT pid FROM pg_stat_activity WHERE pid = %s AND wait_event = 'PgSleep'"

        async def is_asleep() -> bool:
            cursor = await other.execute(asleep, (killed.info.backend_pid,))
            return await cursor.fetchone() is not None

        await until(is_asleep)
        monkeypatch.setattr(migration, "available", lambda: [*before, last])
        waiting = asyncio.create_task(migrate(other))
        await asyncio.sleep(0.5)
        assert not waiting.done()
        async with await connect(empty_database_url, name="test", autocommit=True) as connection:
            ending = "SELECT pg_terminate_backend(%s)"
            await connection.execute(ending, (killed.info.backend_pid,))
        with pytest.raises(psycopg.OperationalError):
            await working
        assert [each.version for each in await waiting] == [last.version]
