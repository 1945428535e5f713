-- Intervals cut anew from what is stored by now.

-- name: standing
-- What is recorded in the time, to be replaced; a collector at work waits, and goes on behind it.
SELECT state, lower(period), upper(period), causes
FROM service_interval
WHERE terminal_id = %(terminal)s AND period && tstzrange(%(since)s, %(until)s)
ORDER BY period
FOR UPDATE;

-- name: begin_later
-- What goes on behind the time keeps its row: a collector that knows it as the last one finds it.
UPDATE service_interval SET period = tstzrange(%(until)s, upper(period))
WHERE terminal_id = %(terminal)s AND period && tstzrange(%(since)s, %(until)s)
    AND (upper_inf(period) OR upper(period) > %(until)s);

-- name: forget
DELETE FROM service_interval
WHERE terminal_id = %(terminal)s AND period && tstzrange(%(since)s, %(until)s);

-- name: cut
INSERT INTO service_interval (terminal_id, state, period, causes)
VALUES (%(terminal)s, %(state)s, tstzrange(%(begin)s, %(end)s), %(causes)s);

-- name: now
SELECT now();
