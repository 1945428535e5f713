-- name: tend
-- A host that vanished is noticed within five seconds: its locks fall free.
SET tcp_keepalives_idle = 2; SET tcp_keepalives_interval = 1; SET tcp_keepalives_count = 3;

-- name: lock
-- The lock is the session's: it falls free when this connection ends, however it ends.
SELECT pg_try_advisory_lock(hashtextextended('tellergrid/region/' || %(region)s, 0));

-- name: take
INSERT INTO region_service (region_code, collector) VALUES (%(region)s, %(collector)s)
ON CONFLICT (region_code) DO UPDATE
SET collector = EXCLUDED.collector, epoch = region_service.epoch + 1, taken_at = now()
RETURNING epoch, seen_until;

-- name: prove
-- Updates nothing where another has taken the region since.
UPDATE region_service SET seen_until = coalesce(%(until)s::timestamptz, seen_until)
WHERE region_code = %(region)s AND epoch = %(epoch)s;

-- name: returned
-- When we saw again, if that was not long ago, after the broker was away, or may have been: each time,
-- for that nobody was there to see it does not undo that terminals were cut off just before.
SELECT lower(period), upper(period), cause <> 'broker' AND NOT broker_too
FROM blindness
WHERE region_code = %(region)s AND (cause <> 'backlog' OR broker_too)
    AND period && tstzrange(%(since)s, NULL)
ORDER BY period;

-- name: record_blindness
-- A clock that was set back may let it begin within one that is recorded: it begins behind that.
INSERT INTO blindness (region_code, period, cause, broker_too)
SELECT %(region)s, tstzrange(since, %(until)s::timestamptz), %(cause)s, %(broker_too)s
FROM (
    SELECT greatest(%(since)s::timestamptz, max(upper(period))) AS since
    FROM blindness
    WHERE region_code = %(region)s AND period && tstzrange(%(since)s, %(until)s)
) AS begun
WHERE since < %(until)s::timestamptz;
