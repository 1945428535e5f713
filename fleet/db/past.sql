-- The grid and the windows as they were, as far as is asked for: what goes on is cut off after that.

-- name: stays
SELECT terminal_id, cell_code,
    greatest(lower(valid), %(since)s::timestamptz),
    least(upper(valid), %(until)s::timestamptz + interval '1 day')
FROM terminal_cell
WHERE terminal_id = ANY (%(ids)s) AND valid && tstzrange(%(since)s, %(until)s);

-- name: tree
SELECT cell_code, parent_code,
    greatest(lower(valid), %(since)s::timestamptz),
    least(upper(valid), %(until)s::timestamptz + interval '1 day')
FROM cell_version
WHERE parent_code IS NOT NULL AND valid && tstzrange(%(since)s, %(until)s);

-- name: windows
-- From when they were known: one that was planned afterwards held nothing before.
SELECT planned.purpose = 'maintenance', planned.terminal_id, planned.kind, planned.cell_code,
    planned.component, greatest(lower(occurrence.period), planned.created_at),
    upper(occurrence.period)
FROM planned_occurrence AS occurrence
JOIN planned_window AS planned ON planned.id = occurrence.window_id
WHERE occurrence.period && tstzrange(%(since)s, %(until)s)
    AND planned.created_at < upper(occurrence.period)
ORDER BY planned.id;

-- name: gone
SELECT id, decommissioned_at FROM terminal
WHERE id = ANY (%(ids)s) AND decommissioned_at BETWEEN %(since)s AND %(until)s;
