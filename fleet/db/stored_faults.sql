-- name: windows
-- What holds the tickets of a terminal at a time.
SELECT planned.id, planned.purpose, planned.author, planned.reason, upper(occurrence.period),
    planned.component
FROM planned_occurrence AS occurrence
JOIN planned_window AS planned ON planned.id = occurrence.window_id
WHERE occurrence.period @> %(at)s::timestamptz
    AND (planned.ended_at IS NULL OR planned.ended_at > %(at)s)
    AND (planned.terminal_id IS NULL OR planned.terminal_id = %(id)s)
    AND (planned.kind IS NULL OR planned.kind = %(kind)s)
    AND (planned.cell_code IS NULL OR planned.cell_code = ANY (%(cells)s))
ORDER BY planned.id;
