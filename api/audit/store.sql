-- The audit, as operations read it: of every cell, so for nobody who has a scope.

-- name: entries
-- The latest first, before an id; each filter is off when null.
SELECT audit.id, seal.number, audit.at, audit.actor, audit.origin, audit.subject, audit.key,
    audit.change, audit.before, audit.after
FROM audit LEFT JOIN audit_seal AS seal ON seal.audit_id = audit.id
WHERE audit.id < coalesce(%(after)s::bigint, 9223372036854775807)
    AND (%(subject)s::text IS NULL OR audit.subject = %(subject)s)
    AND (%(key)s::text IS NULL OR audit.key = %(key)s)
    AND (%(actor)s::text IS NULL OR audit.actor = %(actor)s)
ORDER BY audit.id DESC
LIMIT %(rows)s;
