-- Maintenance tickets. Written by the api.

CREATE TABLE ticket (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fault_id uuid NOT NULL REFERENCES fault (id),
    scope text NOT NULL CHECK (scope IN ('terminal', 'cell')),
    subject text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    terminal_id integer REFERENCES terminal (id),
    cell_code text NOT NULL,
    severity text NOT NULL,
    component text NOT NULL,
    title text NOT NULL,
    remedy text NOT NULL,
    skill text NOT NULL,
    line smallint NOT NULL,
    parts text[] NOT NULL DEFAULT '{}',
    state text NOT NULL DEFAULT 'NEW' CHECK (state IN (
        'NEW', 'ASSIGNED', 'ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD', 'RESOLVED', 'CLOSED',
        'CANCELLED', 'MERGED')),
    technician_id integer REFERENCES technician (id),
    parent_id integer REFERENCES ticket (id),
    previous_id integer REFERENCES ticket (id),
    reopened integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL DEFAULT now(),
    changed_at timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    recovered_at timestamptz,
    version integer NOT NULL DEFAULT 1
);
COMMENT ON COLUMN ticket.previous_id IS 'The ended ticket of the same cause before this one';
COMMENT ON COLUMN ticket.cell_code IS 'The cell of the fault, where the terminal was when it began';
COMMENT ON COLUMN ticket.resolved_at IS 'When it last came to RESOLVED: the verify window begins';
COMMENT ON COLUMN ticket.recovered_at IS 'Since when telemetry says that the fault is gone';
CREATE UNIQUE INDEX ticket_live ON ticket (scope, subject, rule, item)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');
CREATE INDEX ticket_cause ON ticket (scope, subject, rule, item, id);
CREATE INDEX ticket_technician ON ticket (technician_id, state);
CREATE INDEX ticket_live_cell ON ticket (cell_code)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');
CREATE INDEX ticket_cell ON ticket (cell_code, created_at DESC);
CREATE INDEX ticket_fault ON ticket (fault_id);

CREATE TABLE ticket_transition (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES ticket (id),
    event text NOT NULL,
    from_state text,
    to_state text NOT NULL,
    account_id integer REFERENCES account (id),
    actor text NOT NULL,
    role text NOT NULL,
    reason text,
    note text,
    technician_id integer REFERENCES technician (id),
    device_at timestamptz,
    at timestamptz NOT NULL DEFAULT now(),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON COLUMN ticket_transition.device_at IS 'What the actor''s device said; `at` is the server''s';
CREATE INDEX ticket_transition_ticket ON ticket_transition (ticket_id, id);
CREATE INDEX ticket_transition_feed ON ticket_transition (tx, id);

-- A ticket as people read it, with the place and the names that it keeps by key.
CREATE VIEW ticket_card AS
SELECT ticket.id, ticket.version, ticket.state, ticket.severity,
    array_position(ARRAY['critical', 'major', 'minor', 'warning'], ticket.severity) AS urgency,
    ticket.title, ticket.remedy, ticket.component, ticket.skill, ticket.line, ticket.parts,
    ticket.scope, ticket.subject, ticket.rule, ticket.item, ticket.fault_id,
    ticket.cell_code AS cell, terminal.code AS terminal, terminal.site, terminal.latitude,
    terminal.longitude, ticket.technician_id, technician.code AS technician,
    technician.name AS technician_name, ticket.parent_id, ticket.previous_id, held.held_in,
    ticket.reopened, ticket.created_at, ticket.changed_at, ticket.resolved_at, ticket.recovered_at
FROM ticket
LEFT JOIN terminal ON terminal.id = ticket.terminal_id
LEFT JOIN technician ON technician.id = ticket.technician_id
LEFT JOIN LATERAL (
    SELECT ticket_transition.from_state AS held_in
    FROM ticket_transition
    WHERE ticket_transition.ticket_id = ticket.id AND ticket_transition.event = 'hold'
    ORDER BY ticket_transition.id DESC
    LIMIT 1
) AS held ON ticket.state = 'ON_HOLD';
COMMENT ON COLUMN ticket_card.held_in IS 'The state that ON_HOLD interrupted';
