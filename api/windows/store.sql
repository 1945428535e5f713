-- Planned windows, with what they are about by name.

-- name: windows
-- The newest first, below an id. Who sees some cells sees the windows that touch them.
SELECT planned.id, planned.purpose, terminal.code AS terminal, planned.cell_code AS cell,
    planned.kind, planned.component, lower(planned.first) AS begin, upper(planned.first) AS end,
    planned.zone AS time_zone, planned.repeat, planned.weekdays, planned.until, planned.author,
    planned.reason, planned.created_at, planned.ended_at, planned.ended_by,
    planned.annulled_at, planned.annulled_by, planned.annulled_because,
    EXISTS (SELECT FROM planned_occurrence AS occurrence
        WHERE occurrence.window_id = planned.id AND occurrence.period @> now()) AS active,
    (SELECT min(lower(occurrence.period)) FROM planned_occurrence AS occurrence
        WHERE occurrence.window_id = planned.id AND lower(occurrence.period) > now()) AS next_at
FROM planned_window AS planned
LEFT JOIN terminal ON terminal.id = planned.terminal_id
WHERE (%(id)s::integer IS NULL OR planned.id = %(id)s)
    AND (%(purpose)s::text IS NULL OR planned.purpose = %(purpose)s)
    AND (%(live)s::boolean IS NULL OR %(live)s = (
        planned.ended_at IS NULL AND EXISTS (
            SELECT FROM planned_occurrence AS occurrence
            WHERE occurrence.window_id = planned.id AND upper(occurrence.period) > now())))
    AND (%(after)s::integer IS NULL OR planned.id < %(after)s)
    AND (%(scope)s::text[] IS NULL
        OR num_nonnulls(planned.terminal_id, planned.cell_code) = 0
        OR planned.cell_code IN (
            SELECT ancestor_code FROM cell_ancestor WHERE cell_code = ANY(%(scope)s))
        OR planned.terminal_id IN (
            SELECT terminal_id FROM terminal_cell
            WHERE cell_code = ANY(%(scope)s) AND valid @> now()))
ORDER BY planned.id DESC
LIMIT %(rows)s;

-- name: subject
-- The keys of what a window or schedule is about; null where it is not there for the caller.
SELECT (SELECT terminal.id FROM terminal
        LEFT JOIN terminal_cell
            ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
        WHERE terminal.code = %(terminal)s
            AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))),
    (SELECT code FROM cell
        WHERE code = %(cell)s AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s)));

-- name: plan
INSERT INTO planned_window (purpose, terminal_id, cell_code, kind, component, first, repeat,
    weekdays, zone, until, author, reason)
VALUES (%(purpose)s, %(terminal_id)s, %(cell)s, %(kind)s, %(component)s,
    tstzrange(%(begin)s, %(end)s), %(repeat)s, %(weekdays)s, %(time_zone)s, %(until)s, %(author)s,
    %(reason)s)
RETURNING id;

-- name: end
-- Take a window back from now on: what is to come of it goes, what is under way ends.
UPDATE planned_window SET ended_at = now(), ended_by = %(author)s
WHERE id = %(id)s AND ended_at IS NULL;

-- name: forget_to_come
DELETE FROM planned_occurrence WHERE window_id = %(id)s AND lower(period) >= now();

-- name: end_under_way
UPDATE planned_occurrence SET period = tstzrange(lower(period), now())
WHERE window_id = %(id)s AND period @> now();

-- name: annul
-- As if it had never been planned; that it was, and who says otherwise, stays.
UPDATE planned_window
SET annulled_at = now(), annulled_by = %(author)s, annulled_because = %(reason)s,
    ended_at = coalesce(ended_at, now()), ended_by = coalesce(ended_by, %(author)s)
WHERE id = %(id)s AND annulled_at IS NULL;

-- name: forget_all
DELETE FROM planned_occurrence WHERE window_id = %(id)s;
