-- Times of windows and schedules, written ahead.

-- name: now
SELECT now();

-- name: short_windows
-- Windows that come again, whose times want to be written further.
SELECT id, lower(first), upper(first), repeat, weekdays, zone, until
FROM planned_window
WHERE repeat IS NOT NULL AND ended_at IS NULL
    AND expanded_to < least(coalesce(until, 'infinity'), now() + interval '399 days')
ORDER BY id;

-- name: window_written
-- Nothing where it was taken back meanwhile; nobody takes it back until its times are written.
SELECT nullif(expanded_to, '-infinity') FROM planned_window
WHERE id = %(id)s AND ended_at IS NULL
FOR UPDATE;

-- name: write_occurrences
WITH written AS (
    INSERT INTO planned_occurrence (window_id, period)
    SELECT %(id)s, tstzrange(begin, until)
    FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS span (begin, until)
)
UPDATE planned_window SET expanded_to = %(until)s WHERE id = %(id)s;

-- name: short_schedules
SELECT code FROM service_schedule
WHERE expanded_to < now() + interval '399 days'
ORDER BY code;

-- name: hold_schedule
-- One writer of its closings at a time: each writes all of them anew, by what all before it said.
SELECT FROM service_schedule WHERE code = %(code)s FOR UPDATE;

-- name: first_use
SELECT min(lower(valid)) FROM service_schedule_use WHERE schedule_code = %(code)s;

-- name: schedule_zone
SELECT zone FROM service_schedule WHERE code = %(code)s;

-- name: schedule_week
SELECT weekday, ARRAY(SELECT lower(span) FROM unnest(open) AS span ORDER BY 1),
    ARRAY(SELECT upper(span) FROM unnest(open) AS span ORDER BY 1)
FROM service_schedule_week WHERE schedule_code = %(code)s;

-- name: schedule_days
SELECT day, ARRAY(SELECT lower(span) FROM unnest(open) AS span ORDER BY 1),
    ARRAY(SELECT upper(span) FROM unnest(open) AS span ORDER BY 1)
FROM service_schedule_day WHERE schedule_code = %(code)s;

-- name: forget_closings
DELETE FROM service_closing WHERE schedule_code = %(code)s;

-- name: write_closings
WITH written AS (
    INSERT INTO service_closing (schedule_code, period)
    SELECT %(code)s, tstzrange(begin, until)
    FROM unnest(%(begins)s::timestamptz[], %(ends)s::timestamptz[]) AS span (begin, until)
)
UPDATE service_schedule SET expanded_to = %(until)s WHERE code = %(code)s;
