-- name: listed
-- The latest first, without their payloads. Births and wills wait for nothing: they are not said again.
SELECT id, arrived_at, topic, reason, detail, size, whole, replayed_at
FROM quarantine
WHERE (%(reason)s::text IS NULL OR reason = %(reason)s)
  AND (%(terminal)s::text IS NULL OR split_part(topic, '/', 4) = %(terminal)s)
  AND (NOT %(waiting)s OR (whole AND replayed_at IS NULL AND topic NOT LIKE '%%/status'))
ORDER BY id DESC
LIMIT %(limit)s;

-- name: found
SELECT id, arrived_at, topic, reason, detail, size, whole, replayed_at, payload
FROM quarantine WHERE id = %(id)s;

-- name: replayed
UPDATE quarantine SET replayed_at = now() WHERE id = %(id)s;

-- name: trim
-- The oldest beyond the bound go; what another region is deleting just now is its business.
DELETE FROM quarantine WHERE id IN (
    SELECT id FROM quarantine
    WHERE id <= (SELECT id FROM quarantine ORDER BY id DESC OFFSET %(rows)s LIMIT 1)
    FOR UPDATE SKIP LOCKED
);
