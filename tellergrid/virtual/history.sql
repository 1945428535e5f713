-- What the past needs before it can be filled in, and its own time.

-- name: is_migrated
SELECT to_regclass('terminal_state') IS NOT NULL AND to_regclass('ticket') IS NOT NULL;

-- name: is_empty
SELECT NOT EXISTS (SELECT FROM terminal_state) AND NOT EXISTS (SELECT FROM ticket);

-- name: age_terminals
-- The fleet is as old as its history.
UPDATE terminal SET commissioned_at = %(start)s WHERE commissioned_at > %(start)s;

-- name: age_memberships
UPDATE terminal_cell SET valid = tstzrange(%(start)s, upper(valid))
WHERE lower(valid) > %(start)s
    AND NOT EXISTS (
        SELECT FROM terminal_cell AS earlier
        WHERE earlier.terminal_id = terminal_cell.terminal_id
            AND lower(earlier.valid) < lower(terminal_cell.valid));

-- name: make_clock
-- The api's statements ask for now(); on a connection whose path begins here they are told the time
-- that the history has come to. It goes when the history is filled in.
CREATE SCHEMA IF NOT EXISTS tellergrid_past;

-- name: make_now
CREATE OR REPLACE FUNCTION tellergrid_past.now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT pg_catalog.current_setting('tellergrid.now')::timestamptz $$;

-- name: use_clock
SET search_path = tellergrid_past, pg_catalog, public;

-- name: set_clock
SELECT set_config('tellergrid.now', %(now)s::text, false);

-- name: drop_clock
DROP SCHEMA IF EXISTS tellergrid_past CASCADE;

-- name: newest_change
SELECT coalesce(max(id), 0) FROM fault_change;

-- name: date_tickets
-- A column's default was bound to the true now() when the table was made.
UPDATE ticket SET created_at = now(), changed_at = now() WHERE created_at = pg_catalog.now();

-- name: date_transitions
UPDATE ticket_transition SET at = now() WHERE at = pg_catalog.now();
