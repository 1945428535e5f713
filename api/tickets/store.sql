-- Tickets, as people read them.

-- name: tickets
-- The newest first, after an id; each filter is off when null; one ticket when `id` is given.
-- With all that happened to each, of which its clocks are computed. Words are looked for in what each
-- ticket says first: those that nearly all say are found on the first page, and nobody looks them up.
SELECT card.*, now() AS at, (SELECT sla_seen()) AS promises,
    ARRAY(SELECT row(step.event, step.to_state, step.at, step.reason,
            CASE WHEN step.event = 'escalate' THEN step.note END, step.severity_before,
            step.recovered_at)
        FROM ticket_transition AS step
        WHERE step.ticket_id = card.id
        ORDER BY step.id) AS steps
FROM (
    SELECT *
    FROM ticket_card
    WHERE (%(id)s::integer IS NULL OR id = %(id)s)
        AND (%(ids)s::integer[] IS NULL OR id = ANY(%(ids)s))
        AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
        AND (%(open)s::boolean IS NULL OR (state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')) = %(open)s)
        AND (%(cell)s::text IS NULL OR cell IN (SELECT cell_family(%(cell)s)))
        AND (%(terminal)s::text IS NULL OR terminal = %(terminal)s)
        AND (%(technician)s::text IS NULL OR technician = %(technician)s)
        AND (%(text)s::text IS NULL
            OR concat_ws(' ', title, remedy, subject, rule, component)
                ILIKE ALL (%(patterns)s::text[])
            OR id IN (
                SELECT ticket.id FROM ticket
                WHERE ticket_words(title, remedy, subject, rule, component)
                    @@ websearch_to_tsquery('simple', %(text)s))
            OR id IN (
                SELECT ticket_id FROM ticket_remark
                WHERE to_tsvector('simple', text) @@ websearch_to_tsquery('simple', %(text)s))
            OR id IN (
                SELECT ticket_id FROM ticket_remark WHERE text ILIKE ALL (%(patterns)s::text[])))
        AND (%(scope)s::text[] IS NULL OR cell = ANY(%(scope)s))
        AND id < coalesce(%(after)s::integer, 2147483647)
    ORDER BY id DESC
    LIMIT %(rows)s
) AS card
ORDER BY card.id DESC;

-- name: live_ids
-- The live ones of a filter, in no order: what is due first is computed, not stored.
SELECT id
FROM ticket_card
WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
    AND (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
    AND (%(cell)s::text IS NULL OR cell IN (SELECT cell_family(%(cell)s)))
    AND (%(terminal)s::text IS NULL OR terminal = %(terminal)s)
    AND (%(technician)s::text IS NULL OR technician = %(technician)s)
    AND (%(text)s::text IS NULL
        OR concat_ws(' ', title, remedy, subject, rule, component)
            ILIKE ALL (%(patterns)s::text[])
        OR id IN (
            SELECT ticket.id FROM ticket
            WHERE ticket_words(title, remedy, subject, rule, component)
                @@ websearch_to_tsquery('simple', %(text)s))
        OR id IN (
            SELECT ticket_id FROM ticket_remark
            WHERE to_tsvector('simple', text) @@ websearch_to_tsquery('simple', %(text)s))
        OR id IN (
            SELECT ticket_id FROM ticket_remark WHERE text ILIKE ALL (%(patterns)s::text[])))
    AND (%(scope)s::text[] IS NULL OR cell = ANY(%(scope)s));

-- name: to_do
-- What a technician has to do, the most urgent first, then the oldest.
SELECT card.*, now() AS at, (SELECT sla_seen()) AS promises,
    ARRAY(SELECT row(step.event, step.to_state, step.at, step.reason,
            CASE WHEN step.event = 'escalate' THEN step.note END, step.severity_before,
            step.recovered_at)
        FROM ticket_transition AS step
        WHERE step.ticket_id = card.id
        ORDER BY step.id) AS steps
FROM (
    SELECT *
    FROM ticket_card
    WHERE technician_id = %(technician_id)s
        AND state IN ('ASSIGNED', 'ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
        AND (%(scope)s::text[] IS NULL OR cell = ANY(%(scope)s))
        AND (urgency, created_at, id) > (
            coalesce(%(after_urgency)s::integer, 0),
            coalesce(%(after_created_at)s::timestamptz, '-infinity'),
            coalesce(%(after_id)s::integer, 0))
    ORDER BY urgency, created_at, id
    LIMIT %(rows)s
) AS card
ORDER BY card.urgency, card.created_at, card.id;

-- name: of_terminal
-- The live ones of a terminal, the newest first: of a cell that the caller sees.
SELECT card.*, now() AS at, (SELECT sla_seen()) AS promises,
    ARRAY(SELECT row(step.event, step.to_state, step.at, step.reason,
            CASE WHEN step.event = 'escalate' THEN step.note END, step.severity_before,
            step.recovered_at)
        FROM ticket_transition AS step
        WHERE step.ticket_id = card.id
        ORDER BY step.id) AS steps
FROM (
    SELECT ticket_card.*
    FROM ticket JOIN ticket_card ON ticket_card.id = ticket.id
    WHERE ticket.terminal_id = (SELECT terminal.id FROM terminal WHERE terminal.code = %(terminal)s)
        AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
        AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
    ORDER BY ticket.id DESC
    LIMIT %(rows)s
) AS card
ORDER BY card.id DESC;

-- name: transitions
-- Where a technician was is for operations and for themselves: null to others.
SELECT step.event, step.from_state, step.to_state, step.actor, step.role, step.reason, step.note,
    technician.code AS technician, step.device_at, step.at,
    CASE WHEN known.known THEN step.latitude END AS latitude,
    CASE WHEN known.known THEN step.longitude END AS longitude,
    step.cause, step.action, step.parts_used, step.photos
FROM ticket_transition AS step
JOIN ticket ON ticket.id = step.ticket_id
LEFT JOIN technician ON technician.id = step.technician_id
CROSS JOIN LATERAL (
    SELECT %(everybody)s OR EXISTS (
        SELECT FROM account
        WHERE account.id = step.account_id AND account.technician_id = %(technician_id)s)
) AS known (known)
WHERE step.ticket_id = %(id)s
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY step.id;

-- name: counts
-- Live tickets by state, for the metrics alone: of every cell.
SELECT state, count(*)
FROM ticket
WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
GROUP BY state;
