-- Why dispatch chose whom.

-- name: keep
INSERT INTO dispatch_choice (ticket_id, actor, technician_id, reason, considered)
VALUES (%(ticket_id)s, %(actor)s, %(technician_id)s::integer, %(reason)s, %(considered)s);

-- name: left_open
-- Tickets that nobody could be sent to, with why, as it was last chosen.
SELECT DISTINCT ON (ticket_id) ticket_id, technician_id, reason
FROM dispatch_choice
WHERE ticket_id = ANY(%(ids)s)
ORDER BY ticket_id, id DESC;

-- name: choices
-- Of a ticket, the latest first.
SELECT dispatch_choice.at, dispatch_choice.actor, technician.code AS technician,
    dispatch_choice.reason, dispatch_choice.considered
FROM dispatch_choice
JOIN ticket ON ticket.id = dispatch_choice.ticket_id
LEFT JOIN technician ON technician.id = dispatch_choice.technician_id
WHERE dispatch_choice.ticket_id = %(id)s
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY dispatch_choice.id DESC
LIMIT 100;

-- name: seen
SELECT id FROM ticket
WHERE id = %(id)s AND (%(scope)s::text[] IS NULL OR cell_code = ANY(%(scope)s));
