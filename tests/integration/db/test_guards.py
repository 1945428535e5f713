"""Row-level security and audit: no table goes without, unless it is excused by name."""

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

# Tables with nothing of a cell in them, that every caller may read.
OF_NO_CELL = {
    "region": "names of the bank's units",
    "region_service": "which collector serves a unit",
    "blindness": "our own outages, by unit",
    "sla_calendar": "hours of service levels",
    "sla_hours": "hours of service levels",
    "sla_holiday": "hours of service levels",
    "sla_stamp": "whether service levels are still the same",
    "terminal_stamp": "whether terminals are still the same to dispatch",
    "uptime_summed": "how far sums of uptime are made",
    **dict.fromkeys(
        (
            *("service_schedule", "service_schedule_week", "service_schedule_day"),
            "service_closing",
        ),
        "hours of service",
    ),
}
# Views that read with their owner's eyes.
FOR_EVERYBODY = {"cell_ancestor": "the tree by its codes alone"}

# Tables that the api writes and whose changes are not kept.
NOT_AUDITED = {
    "audit_seal": "the audit's own chain",
    "cell_version": "written by the database itself, of `cell`",
    "dispatch_choice": "a record itself, only added to",
    "dispatch_look": "the engine's memory of what it looked at",
    "idempotency_key": "answers, forgotten after a month",
    "notification": "what is told, of what is in the audit already",
    "notification_place": "up to where tickets' history was read",
    "planned_occurrence": "follows from `planned_window`",
    "service_closing": "follows from the schedule's tables",
    "sign_in_attempt": "failures, forgotten after a quarter of an hour",
    "technician_position": "where a phone is, the newest alone",
    "terminal_cell": "follows from `cell` and `terminal`, and keeps its own history",
    **dict.fromkeys(
        (
            *("uptime_cell_day", "uptime_cell_hour", "uptime_terminal_day", "uptime_crossing"),
            *("uptime_summed", "uptime_stale"),
        ),
        "sums of what is recorded, made anew at will",
    ),
}

_UNGUARDED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relrowsecurity
        AND has_any_column_privilege('tellergrid_scoped', oid, 'SELECT,INSERT,UPDATE')
"""
_OWNERS_EYES = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('v', 'm')
        AND has_table_privilege('tellergrid_scoped', oid, 'SELECT')
        AND NOT coalesce(reloptions::text LIKE '%security_invoker=true%', false)
"""
_UNAUDITED = """
    SELECT relname FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
        AND has_table_privilege('tellergrid_whole', oid, 'INSERT,UPDATE,DELETE')
        AND NOT EXISTS (SELECT FROM pg_trigger WHERE tgrelid = pg_class.oid AND tgname = 'audit')
"""
_POLICIES = "SELECT tablename, policyname FROM pg_policies WHERE schemaname = 'public'"


def _names(url: str, query: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {row[0] for row in connection.execute(query.encode()).fetchall()}


def test_every_table_that_callers_may_touch_is_guarded(database_url: str) -> None:
    """A new one needs `CALL guard(…)` in its migration, or a reason here.

    What callers may not touch at all (telemetry, the collector's memory) needs none.
    """
    assert _names(database_url, _UNGUARDED) == OF_NO_CELL.keys()


def test_every_view_reads_with_the_callers_eyes(database_url: str) -> None:
    """Else it would show what its owner sees: `WITH (security_invoker = true)`."""
    assert _names(database_url, _OWNERS_EYES) == FOR_EVERYBODY.keys()


def test_a_guarded_table_has_both_policies(database_url: str) -> None:
    """One for whoever has a scope, one for whoever sees all."""
    with psycopg.connect(database_url) as connection:
        found = set(connection.execute(_POLICIES.encode()).fetchall())
    assert {"scoped", "whole"} <= {policy for _, policy in found}
    for table in {table for table, _ in found}:
        assert {(table, "scoped"), (table, "whole")} <= found


def test_every_table_that_the_api_writes_is_audited(database_url: str) -> None:
    """A new one needs `CALL keep_audit_of(…)` in its migration, or a reason here."""
    assert _names(database_url, _UNAUDITED) == NOT_AUDITED.keys()


def test_who_has_not_said_for_whom_sees_nothing(database_url: str) -> None:
    """The roles that the api works in own nothing, and are shown nothing by default."""
    api = make_conninfo(database_url, options="-c role=tellergrid_api")
    with psycopg.connect(api, autocommit=True) as connection:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT count(*) FROM ticket")
        connection.execute("SET ROLE tellergrid_scoped")
        assert connection.execute("SELECT count(*) FROM cell").fetchone() == (0,)
        for table in ("telemetry", "quarantine", "hold"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT count(*) FROM {table}".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT password_hash FROM account")


_CALLERS_TABLES = """
    SELECT proname FROM pg_proc JOIN pg_language ON pg_language.oid = prolang
    WHERE pronamespace = 'public'::regnamespace AND prosecdef AND lanname <> 'c'
        AND prosqlbody IS NULL
        AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        AND NOT coalesce(proconfig::text LIKE '%search_path=public, pg_temp%', false)
"""


def test_what_works_with_its_owners_rights_finds_no_tables_of_its_callers(
    database_url: str,
) -> None:
    """Temporary ones come first, unless they are put last: those of whoever called."""
    with psycopg.connect(database_url) as connection:
        assert connection.execute(_CALLERS_TABLES).fetchall() == []
