-- What is to do at a terminal goes along to the cell that it is in: of a cell that had ended nobody saw
-- its tickets any more who answered for what came of it. What was promised stays what was promised,
-- also where the cell is put under another parent: a ticket keeps the line of cells whose service
-- levels hold for it. Read of today's tree, a move of the cell changed the targets of what was there.

CREATE FUNCTION cell_line(of_cell text, at timestamptz) RETURNS text[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    WITH RECURSIVE up (code, distance) AS (
        SELECT of_cell, 0
        UNION ALL
        SELECT version.parent_code, up.distance + 1
        FROM up JOIN cell_version AS version ON version.cell_code = up.code AND version.valid @> at
        WHERE version.parent_code IS NOT NULL
    )
    SELECT array_agg(code ORDER BY distance) FROM up
$$;
COMMENT ON FUNCTION cell_line IS 'A cell and those that stood above it at an instant, upwards';

DROP VIEW ticket_card;
ALTER TABLE ticket ADD promised_in text[];
ALTER TABLE ticket ALTER promised_in TYPE text[] USING cell_line(cell_code, created_at);
ALTER TABLE ticket ALTER promised_in SET NOT NULL;
COMMENT ON COLUMN ticket.promised_in IS
    'The cells whose service levels hold, the nearest first: where it was raised, as the tree stood then';
COMMENT ON COLUMN ticket.cell_code IS
    'Where its terminal is, as long as it is live; stays where somebody accepted it and the cell stands';

CREATE FUNCTION keep_promise() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.promised_in := cell_line(NEW.cell_code, clock_timestamp());
    RETURN NEW;
END
$$;
CREATE TRIGGER keep_promise BEFORE INSERT ON ticket
    FOR EACH ROW EXECUTE FUNCTION keep_promise();

CREATE VIEW ticket_card WITH (security_invoker = true) AS
SELECT ticket.id, ticket.version, ticket.state, ticket.severity,
    array_position(ARRAY['critical', 'major', 'minor', 'warning'], ticket.severity) AS urgency,
    ticket.title, ticket.remedy, ticket.component, ticket.skill, ticket.line, ticket.parts,
    ticket.scope, ticket.subject, ticket.rule, ticket.item, ticket.fault_id,
    ticket.cell_code AS cell, terminal.code AS terminal, terminal.site, terminal.latitude,
    terminal.longitude, ticket.technician_id, technician.code AS technician,
    technician.name AS technician_name, ticket.parent_id, ticket.previous_id, held.held_in,
    ticket.reopened, ticket.created_at, ticket.changed_at, ticket.resolved_at, ticket.recovered_at,
    ticket.pinned, ticket.promised_in
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
REVOKE INSERT, UPDATE, DELETE ON ticket_card FROM tellergrid_scoped, tellergrid_whole;

-- Who sees a ticket sees by what its clocks are read: of cells above which it stood once, too. A promise
-- tells nothing but codes of cells, which everybody knows by the tree.
DROP POLICY scoped ON sla;
CREATE POLICY scoped ON sla FOR SELECT TO tellergrid_scoped USING (true);
CREATE OR REPLACE FUNCTION sla_seen() RETURNS text LANGUAGE sql STABLE
RETURN (SELECT stamp::text FROM sla_stamp);
COMMENT ON FUNCTION sla_seen IS 'The same until a promise or a calendar changes';

-- Those of cells that have ended by now.
UPDATE ticket
SET cell_code = member.cell_code, version = ticket.version + 1
FROM cell, terminal_cell AS member
WHERE cell.code = ticket.cell_code AND cell.valid_to <= now()
    AND member.terminal_id = ticket.terminal_id AND member.valid @> now()
    AND member.cell_code <> ticket.cell_code
    AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');
