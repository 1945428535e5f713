-- Comments, work notes and attachments. They are seen by whoever sees their ticket.

-- name: is_ticket
SELECT EXISTS (
    SELECT FROM ticket
    WHERE ticket.id = %(ticket)s
        AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s)));

-- name: remarks
-- In order, after an id.
SELECT remark.id, remark.kind, remark.text, remark.author, remark.device_at, remark.at
FROM ticket_remark AS remark
JOIN ticket ON ticket.id = remark.ticket_id
WHERE remark.ticket_id = %(ticket)s AND remark.id > coalesce(%(after)s::bigint, 0)
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY remark.id
LIMIT %(rows)s;

-- name: add_remark
INSERT INTO ticket_remark (ticket_id, kind, text, author, device_at)
VALUES (%(ticket)s, %(kind)s, %(text)s, %(author)s, %(device_at)s)
RETURNING id, kind, text, author, device_at, at;

-- name: lock
-- One attachment of a ticket at a time, so that they can be counted.
SELECT pg_advisory_xact_lock(hashtextextended('attachments', %(ticket)s));

-- name: attachments
SELECT file.id, file.name, file.media_type, file.size, file.sha256, file.author, file.at
FROM ticket_attachment AS file
JOIN ticket ON ticket.id = file.ticket_id
WHERE file.ticket_id = %(ticket)s
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY file.id;

-- name: content
SELECT file.name, file.media_type, file.content
FROM ticket_attachment AS file
JOIN ticket ON ticket.id = file.ticket_id
WHERE file.ticket_id = %(ticket)s AND file.id = %(number)s
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s));

-- name: attach
INSERT INTO ticket_attachment (ticket_id, name, media_type, size, sha256, content, author)
VALUES (%(ticket)s, %(name)s, %(media_type)s, %(size)s, %(sha256)s, %(content)s, %(author)s)
RETURNING id, name, media_type, size, sha256, author, at;
