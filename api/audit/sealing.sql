-- The chain of the audit. It is of every cell, and nothing of it is shown to who has a scope.

-- name: last
-- Where the chain ends, and where its last entry stands in the order of commit.
SELECT seal.number, seal.hash, audit.tx::text, audit.id
FROM audit_seal AS seal JOIN audit ON audit.id = seal.audit_id
ORDER BY seal.number DESC
LIMIT 1;

-- name: unsealed
-- The next entries after a place, of transactions below which none is running: none can appear
-- among them any more. The order is that of transactions, not of what is selected as their text, in
-- which 100 comes before 99: where a chain was sealed so, what it has already is passed over.
SELECT audit.tx::text, audit.id, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    actor, origin, subject, key, change, before::text, after::text
FROM audit
WHERE audit.tx < pg_snapshot_xmin(pg_current_snapshot())
    AND (audit.tx, audit.id) > (%(tx)s::text::xid8, %(id)s::bigint)
    AND NOT EXISTS (SELECT FROM audit_seal WHERE audit_seal.audit_id = audit.id)
ORDER BY audit.tx, audit.id
LIMIT %(rows)s;

-- name: seal
INSERT INTO audit_seal (number, audit_id, hash)
SELECT * FROM unnest(%(numbers)s::bigint[], %(ids)s::bigint[], %(hashes)s::bytea[]);
