-- Corrections of terminals' states.

-- name: corrections
-- The newest first, below an id.
SELECT correction.id, terminal.code AS terminal, correction.state,
    lower(correction.period) AS begin, upper(correction.period) AS end, correction.author,
    correction.reason, correction.created_at, correction.withdrawn_at, correction.withdrawn_by
FROM service_correction AS correction
JOIN terminal ON terminal.id = correction.terminal_id
WHERE terminal.code = %(terminal)s
    AND (%(after)s::integer IS NULL OR correction.id < %(after)s)
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT FROM terminal_cell
        WHERE terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
            AND terminal_cell.cell_code = ANY(%(scope)s)))
ORDER BY correction.id DESC
LIMIT %(rows)s;

-- name: correct
INSERT INTO service_correction (terminal_id, state, period, author, reason)
SELECT terminal.id, %(state)s, tstzrange(%(begin)s, %(end)s), %(author)s, %(reason)s
FROM terminal
WHERE terminal.code = %(terminal)s
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT FROM terminal_cell
        WHERE terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
            AND terminal_cell.cell_code = ANY(%(scope)s)))
RETURNING id;

-- name: withdraw
UPDATE service_correction AS correction SET withdrawn_at = now(), withdrawn_by = %(author)s
FROM terminal
WHERE terminal.id = correction.terminal_id AND terminal.code = %(terminal)s
    AND correction.id = %(id)s AND correction.withdrawn_at IS NULL
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT FROM terminal_cell
        WHERE terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
            AND terminal_cell.cell_code = ANY(%(scope)s)));
