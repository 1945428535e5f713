-- The chain, as it is stored.

-- name: one_look
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ;

-- name: chain
-- Every place in order, with its entry if that is there.
SELECT seal.number, seal.hash, audit.id,
    to_char(audit.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), audit.actor, audit.origin,
    audit.subject, audit.key, audit.change, audit.before::text, audit.after::text
FROM audit_seal AS seal LEFT JOIN audit ON audit.id = seal.audit_id
ORDER BY seal.number;

-- name: unsealed
-- Entries without a place: those behind the end of the chain wait for theirs, the others were
-- passed, so they were not there when their time was sealed.
SELECT audit.id, coalesce((audit.tx, audit.id) < (sealed.tx, sealed.id), false)
FROM audit
LEFT JOIN (
    SELECT audit.tx, audit.id
    FROM audit_seal JOIN audit ON audit.id = audit_seal.audit_id
    ORDER BY audit_seal.number DESC
    LIMIT 1
) AS sealed ON true
WHERE NOT EXISTS (SELECT FROM audit_seal WHERE audit_seal.audit_id = audit.id)
ORDER BY audit.id;
