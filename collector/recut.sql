-- Intervals cut anew from what is stored by now.

-- name: alone
-- One at a time cuts a terminal's intervals anew.
SELECT pg_advisory_xact_lock(hashtextextended('recut ' || %(terminal)s, 0));

-- name: reached
-- Now, and how far a terminal has come, if it said anything: nothing is recorded before that any more
-- but by us.
SELECT now(), state.ts
FROM terminal LEFT JOIN terminal_state AS state ON state.terminal_id = terminal.id
WHERE terminal.code = %(terminal)s;

-- name: standing
-- What is recorded in the time, to be replaced; a collector at work waits, and goes on behind it.
SELECT state, lower(period), upper(period), causes
FROM service_interval
WHERE terminal_id = %(terminal)s AND period && tstzrange(%(since)s, %(until)s)
ORDER BY period
FOR UPDATE;

-- name: forget
-- All but what goes on behind the time.
DELETE FROM service_interval
WHERE terminal_id = %(terminal)s AND period && tstzrange(%(since)s, %(until)s)
    AND upper(period) <= %(until)s;

-- name: goes_on_since
-- What goes on behind the time keeps its row: a collector that knows it as the last one finds it.
UPDATE service_interval SET period = tstzrange(%(since)s, upper(period))
WHERE terminal_id = %(terminal)s AND lower(period) = %(was)s;

-- name: cut
INSERT INTO service_interval (terminal_id, state, period, causes)
VALUES (%(terminal)s, %(state)s, tstzrange(%(begin)s, %(end)s), %(causes)s);
