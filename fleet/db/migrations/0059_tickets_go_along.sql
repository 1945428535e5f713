-- What is to do at a terminal goes along to the cell that it is in: of a cell that had ended nobody saw
-- its tickets any more who answered for what came of it. What was promised stays what was promised.

ALTER TABLE ticket ADD promised_in text;
COMMENT ON COLUMN ticket.promised_in IS
    'The cell whose service level holds, of a ticket that went along with its terminal; else null';
COMMENT ON COLUMN ticket.cell_code IS
    'Where its terminal is, as long as it is live; stays where somebody accepted it and the cell stands';
CREATE INDEX ticket_promised_in ON ticket (promised_in) WHERE promised_in IS NOT NULL;

CREATE OR REPLACE VIEW ticket_card WITH (security_invoker = true) AS
SELECT ticket.id, ticket.version, ticket.state, ticket.severity,
    array_position(ARRAY['critical', 'major', 'minor', 'warning'], ticket.severity) AS urgency,
    ticket.title, ticket.remedy, ticket.component, ticket.skill, ticket.line, ticket.parts,
    ticket.scope, ticket.subject, ticket.rule, ticket.item, ticket.fault_id,
    ticket.cell_code AS cell, terminal.code AS terminal, terminal.site, terminal.latitude,
    terminal.longitude, ticket.technician_id, technician.code AS technician,
    technician.name AS technician_name, ticket.parent_id, ticket.previous_id, held.held_in,
    ticket.reopened, ticket.created_at, ticket.changed_at, ticket.resolved_at, ticket.recovered_at,
    ticket.pinned, coalesce(ticket.promised_in, ticket.cell_code) AS promised_in
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

-- Who sees a ticket sees by what its clocks are read.
DROP POLICY scoped ON sla;
CREATE POLICY scoped ON sla TO tellergrid_scoped USING (
    cell_code IS NULL OR cell_code = ANY ((SELECT scope_reach())::text[])
    OR EXISTS (SELECT FROM ticket WHERE ticket.promised_in = sla.cell_code));
CREATE TRIGGER stamp_sla AFTER UPDATE OF promised_in ON ticket
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_sla();

-- Those of cells that have ended by now.
UPDATE ticket
SET cell_code = member.cell_code, promised_in = ticket.cell_code, version = ticket.version + 1
FROM cell, terminal_cell AS member
WHERE cell.code = ticket.cell_code AND cell.valid_to <= now()
    AND member.terminal_id = ticket.terminal_id AND member.valid @> now()
    AND member.cell_code <> ticket.cell_code
    AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');
