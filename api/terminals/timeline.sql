-- What happened to a terminal.

-- name: entries
-- All that began before `end` and was not over by `begin`: times in a service state, faults,
-- tickets; in the order in which they began. The states are those that count, read `reach` beyond the
-- window on either side: one that is `cut` there may go on. Faults and tickets are seen by the cell they
-- were in.
SELECT entry.*
FROM terminal
JOIN terminal_cell ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
CROSS JOIN LATERAL (
    SELECT 'state' AS kind, lower(period) AS begin, nullif(upper(period), now()) AS end, state,
        causes, NULL AS id, NULL AS rule, NULL AS severity, NULL AS title, NULL AS technician,
        lower(period) = reach.since OR upper(period) = reach.until AS cut
    FROM (
        SELECT %(begin)s::timestamptz - %(reach)s::interval AS since,
            %(end)s::timestamptz + %(reach)s::interval AS until
    ) AS reach
    CROSS JOIN LATERAL effective_interval(
        tstzrange(least(reach.since, now()), least(reach.until, now())), ARRAY[terminal.id])
    WHERE period && tstzrange(%(begin)s, %(end)s)
    UNION ALL
    SELECT 'fault', started_at, cleared_at, NULL, NULL, id::text, rule, severity, title, NULL, false
    FROM fault
    WHERE terminal_id = terminal.id AND started_at < %(end)s
        AND (cleared_at IS NULL OR cleared_at > %(begin)s)
        AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
    UNION ALL
    SELECT 'ticket', ticket.created_at, CASE
            WHEN ticket.state IN ('CLOSED', 'CANCELLED', 'MERGED') THEN ticket.changed_at END,
        ticket.state, NULL, ticket.id::text, ticket.rule, ticket.severity, ticket.title,
        technician.code, false
    FROM ticket LEFT JOIN technician ON technician.id = ticket.technician_id
    WHERE ticket.terminal_id = terminal.id AND ticket.created_at < %(end)s
        AND (ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED') OR ticket.changed_at > %(begin)s)
        AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
) AS entry
WHERE terminal.code = %(id)s
    AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
ORDER BY entry.begin, entry.kind, entry.id;
