-- What the lifecycle of a ticket knows besides: tickets raised by hand, choices that stay, what was
-- found and done, from where. Written by the api.

ALTER TABLE ticket ALTER COLUMN fault_id DROP NOT NULL;
ALTER TABLE ticket ADD CONSTRAINT ticket_by_hand CHECK (fault_id IS NOT NULL OR rule = 'by_hand');
COMMENT ON COLUMN ticket.fault_id IS 'Null where no telemetry tells of it: raised by hand';
ALTER TABLE ticket ADD pinned boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN ticket.pinned IS 'A person chose the technician: dispatch does not move it';
ALTER TABLE ticket ADD CONSTRAINT ticket_line CHECK (line IN (1, 2));

ALTER TABLE ticket_transition
    ADD latitude double precision CHECK (latitude BETWEEN -90 AND 90),
    ADD longitude double precision CHECK (longitude BETWEEN -180 AND 180),
    ADD cause text,
    ADD action text,
    ADD parts_used text[],
    ADD refused_by integer REFERENCES technician (id),
    ADD CHECK ((latitude IS NULL) = (longitude IS NULL));
COMMENT ON COLUMN ticket_transition.latitude IS 'Where the actor''s device was, WGS 84';
COMMENT ON COLUMN ticket_transition.refused_by IS 'With `decline` and `time_out`: who does not go';
UPDATE ticket_transition
SET refused_by = account.technician_id
FROM account
WHERE account.id = ticket_transition.account_id AND ticket_transition.event = 'decline';
COMMENT ON COLUMN ticket_transition.cause IS 'With `resolve`: what was the matter';
COMMENT ON COLUMN ticket_transition.action IS 'With `resolve`: what was done';

CREATE OR REPLACE VIEW ticket_card WITH (security_invoker = true) AS
SELECT ticket.id, ticket.version, ticket.state, ticket.severity,
    array_position(ARRAY['critical', 'major', 'minor', 'warning'], ticket.severity) AS urgency,
    ticket.title, ticket.remedy, ticket.component, ticket.skill, ticket.line, ticket.parts,
    ticket.scope, ticket.subject, ticket.rule, ticket.item, ticket.fault_id,
    ticket.cell_code AS cell, terminal.code AS terminal, terminal.site, terminal.latitude,
    terminal.longitude, ticket.technician_id, technician.code AS technician,
    technician.name AS technician_name, ticket.parent_id, ticket.previous_id, held.held_in,
    ticket.reopened, ticket.created_at, ticket.changed_at, ticket.resolved_at, ticket.recovered_at,
    ticket.pinned
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
