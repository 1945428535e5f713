-- Faults, the latest begun first.

-- name: faults
-- After a place in the order; each filter is off when null; one fault when `id` is given.
SELECT fault.id, fault.scope, fault.subject, terminal.code AS terminal, fault.cell_code AS cell,
    fault.rule, fault.item, fault.severity, fault.component, fault.impact, fault.title,
    fault.remedy, fault.skill, fault.line, fault.parts, fault.started_at, fault.fired_at,
    fault.cleared_at, fault.flapping_at, fault.steady_at, fault.suppressed_by, fault.catalogue,
    (SELECT max(ticket.id) FROM ticket WHERE ticket.fault_id = fault.id) AS ticket
FROM fault
LEFT JOIN terminal ON terminal.id = fault.terminal_id
WHERE (%(id)s::uuid IS NULL OR fault.id = %(id)s)
    AND (%(open)s::boolean IS NULL OR (fault.cleared_at IS NULL) = %(open)s)
    AND (%(cell)s::text IS NULL OR fault.cell_code IN (SELECT cell_family(%(cell)s)))
    AND (%(terminal)s::text IS NULL OR terminal.code = %(terminal)s)
    AND (%(rule)s::text IS NULL OR fault.rule = %(rule)s)
    AND (%(severity)s::text IS NULL OR fault.severity = %(severity)s)
    AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
    AND (fault.started_at, fault.id) < (
        coalesce(%(after_at)s::timestamptz, 'infinity'),
        coalesce(%(after_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY fault.started_at DESC, fault.id DESC
LIMIT %(rows)s;

-- name: open_of_terminal
SELECT fault.id, fault.scope, fault.subject, terminal.code AS terminal, fault.cell_code AS cell,
    fault.rule, fault.item, fault.severity, fault.component, fault.impact, fault.title,
    fault.remedy, fault.skill, fault.line, fault.parts, fault.started_at, fault.fired_at,
    fault.cleared_at, fault.flapping_at, fault.steady_at, fault.suppressed_by, fault.catalogue,
    (SELECT max(ticket.id) FROM ticket WHERE ticket.fault_id = fault.id) AS ticket
FROM terminal JOIN fault ON fault.terminal_id = terminal.id
WHERE terminal.code = %(terminal)s AND fault.cleared_at IS NULL
    AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
ORDER BY fault.started_at DESC, fault.id DESC
LIMIT %(rows)s;

-- name: changes
SELECT fault_change.change, fault_change.severity, fault_change.at, fault_change.recorded_at
FROM fault_change
JOIN fault ON fault.id = fault_change.fault_id
WHERE fault_change.fault_id = %(id)s
    AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
ORDER BY fault_change.id;
