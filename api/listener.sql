-- The connection that hears of changes.

-- name: listen
-- The collector notifies of faults, the api of tickets.
LISTEN fault;
LISTEN ticket;

-- name: probe
-- Fails when the connection has died without a word.
SELECT 1;

-- name: stand
-- Held until the connection ends.
SELECT pg_try_advisory_lock(%(key)s);
