-- What a database holds about a run of the simulator, from :since to :until.

-- name: members
SELECT terminal.code, terminal_cell.cell_code
FROM terminal JOIN terminal_cell ON terminal_cell.terminal_id = terminal.id
WHERE terminal.code = ANY(%(codes)s) AND terminal_cell.valid @> %(until)s::timestamptz;

-- name: faults
-- A real run's are decided when they are recorded; a past that was filled in, when their hold ended.
SELECT fault.id, scope, subject, cell_code, rule, item, fault.severity, component,
    extract(epoch FROM started_at)::float8,
    extract(epoch FROM fired_at)::float8,
    extract(epoch FROM CASE
        WHEN fired.recorded_at <= %(until)s::timestamptz + interval '1 minute' THEN fired.recorded_at
        ELSE fired_at END)::float8,
    extract(epoch FROM cleared_at)::float8,
    fault.suppressed_by IS NOT NULL, fault.suppressed_by, flapping_at IS NOT NULL
FROM fault
LEFT JOIN fault_change AS fired ON fired.fault_id = fault.id AND fired.change = 'fired'
WHERE (subject = ANY(%(codes)s) OR subject = ANY(%(cells)s))
    AND fired_at >= %(since)s AND fired_at <= %(until)s
ORDER BY started_at, fault.id;

-- name: tickets
-- Spans are from each raising or reopening to the recovery after it.
SELECT scope, subject, cell_code, rule, item, extract(epoch FROM created_at)::float8, state,
    array(
        SELECT extract(epoch FROM again.at)::float8 FROM ticket_transition AS again
        WHERE again.ticket_id = ticket.id AND again.event IN ('relapse', 'reopen') ORDER BY again.id),
    array(
        SELECT extract(epoch FROM over.at)::float8 FROM ticket_transition AS over
        WHERE over.ticket_id = ticket.id AND over.to_state IN ('RESOLVED', 'CANCELLED', 'MERGED')
        ORDER BY over.id)
FROM ticket
WHERE (subject = ANY(%(codes)s) OR subject = ANY(%(cells)s))
    AND created_at >= %(since)s AND created_at <= %(until)s
ORDER BY created_at, ticket.id;

-- name: intervals
SELECT code, state,
    extract(epoch FROM greatest(lower(period), %(since)s))::float8,
    extract(epoch FROM least(upper(period), %(until)s))::float8
FROM service_interval JOIN terminal ON terminal.id = terminal_id
WHERE code = ANY(%(codes)s) AND period && tstzrange(%(since)s, %(until)s)
ORDER BY code, period;

-- name: quarantined
SELECT count(*) FROM quarantine WHERE arrived_at >= %(since)s AND arrived_at <= %(until)s;

-- name: messages
SELECT count(*) FROM (
    SELECT terminal_id FROM telemetry WHERE ts >= %(since)s AND ts <= %(until)s
    UNION ALL SELECT terminal_id FROM event WHERE ts >= %(since)s AND ts <= %(until)s) AS said
JOIN terminal ON terminal.id = terminal_id
WHERE code = ANY(%(codes)s);
