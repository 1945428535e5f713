-- What a person's move is checked against.

-- name: for_move
-- The ticket, locked: whoever else wants to move it waits, and then sees what became of it. Whoever only
-- refers to it (a photo, what dispatch notes of it) does not: dispatch may keep another that is wanted too.
SELECT ticket.id, ticket.version, ticket.state, ticket.fault_id, ticket.technician_id,
    ticket.parent_id, ticket.reopened, ticket.resolved_at, ticket.recovered_at, ticket.line,
    ticket.pinned, ticket.severity, now() AS at,
    (SELECT ticket_transition.from_state
        FROM ticket_transition
        WHERE ticket_transition.ticket_id = ticket.id AND ticket_transition.event = 'hold'
        ORDER BY ticket_transition.id DESC
        LIMIT 1) AS held_in
FROM ticket
WHERE ticket.id = %(id)s AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
FOR NO KEY UPDATE;

-- name: in_order
-- All tickets of a merge, locked in the order of their ids: of two that are merged into each other at
-- once, the second waits for the first and does not block it.
SELECT FROM ticket
WHERE ticket.id = ANY(%(ids)s) AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY ticket.id
FOR NO KEY UPDATE;

-- name: technician
-- By code, somebody who answers for a cell that the caller sees.
SELECT technician.id
FROM technician
WHERE technician.code = %(code)s
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT FROM technician_cell
        WHERE technician_cell.technician_id = technician.id
            AND technician_cell.cell_code = ANY(%(scope)s)));

-- name: live_ticket
-- Another ticket, kept from ending until this transaction does.
SELECT id
FROM ticket
WHERE id = %(parent)s AND id <> %(id)s AND state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
    AND (%(scope)s::text[] IS NULL OR cell_code = ANY(%(scope)s))
FOR SHARE;

-- name: foreign_photos
-- Of some attachments, those that are not the ticket's.
SELECT asked.number
FROM unnest(%(photos)s::bigint[]) AS asked (number)
WHERE NOT EXISTS (
    SELECT FROM ticket_attachment JOIN ticket ON ticket.id = ticket_attachment.ticket_id
    WHERE ticket_attachment.id = asked.number AND ticket.id = %(id)s
        AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s)))
ORDER BY asked.number
LIMIT 1;
