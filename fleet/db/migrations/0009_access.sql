-- What a caller may see, held by the database itself, under the checks of the api.
--
-- The api works in roles that own nothing. It begins every transaction as tellergrid_api, which
-- can find out who calls and nothing else; then it becomes tellergrid_scoped, which sees the cells
-- of `tellergrid.scope`, or tellergrid_whole, which sees all. Who owns the tables (the collector,
-- the command line) is not held back.

DO $$
DECLARE
    wanted text;
BEGIN
    FOREACH wanted IN ARRAY ARRAY['tellergrid_api', 'tellergrid_scoped', 'tellergrid_whole'] LOOP
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted);
        EXCEPTION WHEN duplicate_object OR unique_violation THEN
            NULL;  -- roles are of the whole server: another database made it
        END;
    END LOOP;
END
$$;
GRANT tellergrid_scoped, tellergrid_whole TO tellergrid_api;
GRANT tellergrid_api TO CURRENT_USER;

-- One transaction's settings; what is not set sees nothing.
CREATE FUNCTION scope_cells() RETURNS text[] LANGUAGE sql STABLE
RETURN nullif(current_setting('tellergrid.scope', true), '')::text[];
COMMENT ON FUNCTION scope_cells IS 'The cells the caller sees, with all below them';

CREATE FUNCTION scope_reach() RETURNS text[] LANGUAGE sql STABLE
RETURN nullif(current_setting('tellergrid.reach', true), '')::text[];
COMMENT ON FUNCTION scope_reach IS 'The same with the cells above, whose people answer for them too';

CREATE FUNCTION scope_account() RETURNS integer LANGUAGE sql STABLE
RETURN nullif(current_setting('tellergrid.account', true), '')::integer;
COMMENT ON FUNCTION scope_account IS 'The account that calls';

CREATE PROCEDURE guard(of_table regclass, visible text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', of_table);
    EXECUTE format('CREATE POLICY scoped ON %s TO tellergrid_scoped USING (%s)', of_table, visible);
    EXECUTE format('CREATE POLICY whole ON %s TO tellergrid_whole USING (true)', of_table);
END
$$;
COMMENT ON PROCEDURE guard IS
    'Puts a table under row-level security: which rows tellergrid_scoped reads and writes';

-- The tree is known by its codes to everybody: its names, maps and members are not.
ALTER VIEW ticket_card SET (security_invoker = true);
ALTER FUNCTION cell_family_during SECURITY DEFINER;

-- A scalar sub-select is worked out once a statement, and an index can be looked into with it.
CALL guard('cell', 'code = ANY ((SELECT scope_cells())::text[])');
CALL guard('cell_version', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('terminal_cell', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('fault', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('ticket', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('fault_change', 'EXISTS (SELECT FROM fault WHERE fault.id = fault_id)');
CALL guard('ticket_transition', 'EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id)');
CALL guard('sla', 'cell_code IS NULL OR cell_code = ANY ((SELECT scope_reach())::text[])');
CALL guard('technician_cell', 'cell_code = ANY ((SELECT scope_reach())::text[])');
CALL guard('technician',
    'EXISTS (SELECT FROM technician_cell WHERE technician_cell.technician_id = technician.id)'
    ' OR EXISTS (SELECT FROM ticket WHERE ticket.technician_id = technician.id)');
CALL guard('account', 'id = scope_account()'
    ' OR EXISTS (SELECT FROM technician WHERE technician.id = technician_id)');
-- Past figures and faults are of terminals that may have moved away since; what is new of a
-- terminal is for the cell that it is in now.
CALL guard('terminal',
    'EXISTS (SELECT FROM terminal_cell WHERE terminal_cell.terminal_id = terminal.id)');
CALL guard('service_interval', 'EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = service_interval.terminal_id)');
CALL guard('terminal_state', 'EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = terminal_state.terminal_id'
    ' AND terminal_cell.valid @> now())');
CALL guard('terminal_snapshot', 'EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = terminal_snapshot.terminal_id'
    ' AND terminal_cell.valid @> now())');

-- Answers kept for requests that are sent again.
CREATE TABLE idempotency_key (
    account_id integer NOT NULL REFERENCES account (id),
    key text NOT NULL,
    request bytea NOT NULL,
    status smallint,
    headers jsonb,
    body bytea,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (account_id, key)
);
COMMENT ON COLUMN idempotency_key.request IS 'SHA-256 of method, path, query and body';
COMMENT ON COLUMN idempotency_key.status IS 'Null only within the transaction that does the work';
CREATE INDEX idempotency_key_at ON idempotency_key (at);
CALL guard('idempotency_key', 'account_id = scope_account()');

-- Who signs in is found out before there is a scope.
GRANT SELECT ON schema_migration, account, technician, technician_cell, cell TO tellergrid_api;
CREATE POLICY signing_in ON account TO tellergrid_api USING (true);
CREATE POLICY signing_in ON technician TO tellergrid_api USING (true);
CREATE POLICY signing_in ON technician_cell TO tellergrid_api USING (true);
CREATE POLICY signing_in ON cell TO tellergrid_api USING (true);

-- What there is by now. What messages said, and what the collector remembers, is not for callers.
GRANT SELECT ON ALL TABLES IN SCHEMA public TO tellergrid_scoped, tellergrid_whole;
REVOKE ALL ON telemetry, event, boot_ledger, boot_received, hold, hold_transition, event_count,
    quarantine, account, schema_migration FROM tellergrid_scoped;
GRANT SELECT (id, username, role, technician_id) ON account TO tellergrid_scoped;
GRANT INSERT, UPDATE ON ticket, idempotency_key TO tellergrid_scoped, tellergrid_whole;
GRANT INSERT ON ticket_transition TO tellergrid_scoped, tellergrid_whole;
GRANT DELETE ON idempotency_key TO tellergrid_whole;
GRANT INSERT, UPDATE, DELETE ON region, cell, cell_version, terminal, terminal_cell, technician,
    technician_cell, account, sla, sla_calendar, sla_hours, sla_holiday TO tellergrid_whole;

-- What comes later may be read and written; a test wants each table guarded, or excused by name.
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO tellergrid_scoped, tellergrid_whole;
