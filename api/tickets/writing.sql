-- The one place that changes a ticket. A ticket and the row that says who changed it and why are
-- written together, and only if nobody else changed it in between.

-- name: as_seen
-- Those of some tickets that are still at the version that was seen, kept so until this transaction
-- ends. What somebody else moves just now will not be: it is not waited for, so that the engine, which
-- keeps many and comes to more, blocks nobody. Who only adds to it, a photo or a remark, moves nothing.
SELECT ticket.id
FROM ticket
JOIN unnest(%(ids)s::integer[], %(versions)s::integer[]) AS seen (id, version) ON seen.id = ticket.id
WHERE ticket.version = seen.version
ORDER BY ticket.id
FOR NO KEY UPDATE OF ticket SKIP LOCKED;

-- name: move
WITH moved AS (
    UPDATE ticket
    SET state = %(state)s, fault_id = %(fault_id)s, technician_id = %(technician_id)s,
        parent_id = %(parent_id)s, reopened = %(reopened)s, resolved_at = %(resolved_at)s,
        recovered_at = %(recovered_at)s, line = %(line)s, pinned = %(pinned)s,
        severity = coalesce(%(severity)s, severity), version = %(version)s, changed_at = now()
    WHERE id = %(id)s AND version = %(version_before)s
    RETURNING id
)
INSERT INTO ticket_transition (
    ticket_id, event, from_state, to_state, account_id, actor, role, reason, note, technician_id,
    device_at, latitude, longitude, cause, action, parts_used,
    photos, refused_by, severity_before, recovered_at)
SELECT id, %(event)s, %(from_state)s, %(state)s, %(account_id)s::integer, %(actor)s, %(role)s,
    %(reason)s::text, %(note)s::text, %(technician_id)s::integer, %(device_at)s::timestamptz,
    %(latitude)s::float8, %(longitude)s::float8, %(cause)s::text, %(action)s::text,
    %(parts_used)s::text[], %(photos)s::bigint[], %(refused_by)s::integer,
    %(severity_before)s::text, %(told_recovered_at)s::timestamptz
FROM moved;

-- name: announce
-- Heard after the commit, by whoever streams or schedules.
NOTIFY ticket;
