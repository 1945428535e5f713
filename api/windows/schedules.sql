-- Service schedules.

-- name: schedules
SELECT code, name, zone AS time_zone, author, created_at
FROM service_schedule
WHERE (%(code)s::text IS NULL OR code = %(code)s) AND code > coalesce(%(after)s::text, '')
ORDER BY code
LIMIT %(rows)s;

-- name: week
SELECT schedule_code, weekday, lower(span), upper(span)
FROM service_schedule_week CROSS JOIN LATERAL unnest(open) AS span
WHERE schedule_code = ANY(%(codes)s)
ORDER BY schedule_code, weekday, span;

-- name: days
SELECT schedule_code, day, author, reason,
    ARRAY(SELECT lower(span) FROM unnest(open) AS span ORDER BY 1),
    ARRAY(SELECT upper(span) FROM unnest(open) AS span ORDER BY 1)
FROM service_schedule_day
WHERE schedule_code = ANY(%(codes)s)
ORDER BY schedule_code, day;

-- name: uses
SELECT used.schedule_code, used.id, terminal.code AS terminal, used.cell_code AS cell, used.kind,
    lower(used.valid) AS begin, upper(used.valid) AS end, used.author, used.reason
FROM service_schedule_use AS used
LEFT JOIN terminal ON terminal.id = used.terminal_id
WHERE used.schedule_code = ANY(%(codes)s)
    AND (%(scope)s::text[] IS NULL OR used.kind IS NOT NULL
        OR used.cell_code IN (
            SELECT ancestor_code FROM cell_ancestor WHERE cell_code = ANY(%(scope)s))
        OR used.terminal_id IN (
            SELECT terminal_id FROM terminal_cell
            WHERE cell_code = ANY(%(scope)s) AND valid @> now()))
ORDER BY used.schedule_code, used.id;

-- name: make
INSERT INTO service_schedule (code, name, zone, author)
VALUES (%(code)s, %(name)s, %(zone)s, %(author)s)
ON CONFLICT (code) DO NOTHING
RETURNING code;

-- name: write_week
INSERT INTO service_schedule_week (schedule_code, weekday, open)
SELECT %(code)s, weekday, range_agg(int4range(opens, closes))
FROM unnest(%(weekdays)s::smallint[], %(opens)s::integer[], %(closes)s::integer[])
    AS hours (weekday, opens, closes)
GROUP BY weekday;

-- name: write_day
INSERT INTO service_schedule_day (schedule_code, day, open, author, reason)
SELECT %(code)s, %(day)s, coalesce(range_agg(int4range(opens, closes)), '{}'), %(author)s, %(reason)s
FROM unnest(%(opens)s::integer[], %(closes)s::integer[]) AS hours (opens, closes)
ON CONFLICT (schedule_code, day) DO UPDATE
SET open = excluded.open, author = excluded.author, reason = excluded.reason, created_at = now();

-- name: forget_day
DELETE FROM service_schedule_day WHERE schedule_code = %(code)s AND day = %(day)s;

-- name: use
INSERT INTO service_schedule_use (schedule_code, terminal_id, cell_code, kind, valid, author, reason)
VALUES (%(code)s, %(terminal_id)s, %(cell)s, %(kind)s, tstzrange(%(begin)s, %(end)s), %(author)s,
    %(reason)s);

-- name: forget_use
-- One that has not begun was never in force.
DELETE FROM service_schedule_use
WHERE schedule_code = %(code)s AND id = %(use)s AND lower(valid) >= now();

-- name: announce
-- The collectors hear of it once it is committed.
NOTIFY registry;

-- name: end_use
UPDATE service_schedule_use SET valid = tstzrange(lower(valid), now())
WHERE schedule_code = %(code)s AND id = %(use)s AND valid @> now();
