-- Who follows causes and who sends technicians must agree on what is well and wanted by nobody.

CREATE FUNCTION ticket_wanted(ticket integer) RETURNS boolean
LANGUAGE sql STABLE SET search_path = public, pg_temp
RETURN EXISTS (
    SELECT FROM ticket_transition AS step
    WHERE step.ticket_id = ticket
        AND (step.event = 'hand_over' OR (step.event IN ('assign', 'reopen') AND step.role <> 'engine'))
        AND step.id > (
            SELECT max(told.id) FROM ticket_transition AS told
            WHERE told.ticket_id = ticket AND told.event = 'recover'));
COMMENT ON FUNCTION ticket_wanted IS
    'Whether a person asked for somebody since telemetry said that the fault of a ticket is gone';
