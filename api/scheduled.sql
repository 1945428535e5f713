-- Which process does the work.

-- name: lock
-- Held until the transaction ends, however it ends.
SELECT pg_try_advisory_xact_lock(%(key)s);
