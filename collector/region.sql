-- name: take_region
-- The lock is the session's: it falls free when this connection ends, however it ends.
SELECT pg_try_advisory_lock(hashtextextended('tellergrid/region/' || %(region)s, 0));
