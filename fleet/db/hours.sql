-- When terminals are meant to serve.

-- name: schedules
SELECT code, zone FROM service_schedule;

-- name: week
SELECT schedule_code, weekday, lower(span), upper(span)
FROM service_schedule_week CROSS JOIN LATERAL unnest(open) AS span
ORDER BY schedule_code, weekday, span;

-- name: days
SELECT schedule_code, day,
    ARRAY(SELECT lower(span) FROM unnest(open) AS span ORDER BY 1),
    ARRAY(SELECT upper(span) FROM unnest(open) AS span ORDER BY 1)
FROM service_schedule_day
ORDER BY schedule_code, day;

-- name: uses
SELECT schedule_code, terminal_id, cell_code, kind, lower(valid), upper(valid)
FROM service_schedule_use
ORDER BY id;
