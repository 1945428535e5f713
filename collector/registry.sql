-- name: region_terminals
-- The terminals of a region that are commissioned, each with its present cell, and whether it is in
-- service: not in a maintenance window. A silence only holds tickets.
WITH maintained AS MATERIALIZED (
    SELECT planned.terminal_id, planned.cell_code, planned.kind
    FROM planned_occurrence AS occurrence
    JOIN planned_window AS planned ON planned.id = occurrence.window_id
    WHERE occurrence.period @> now() AND planned.purpose = 'maintenance'
)
SELECT terminal.id, terminal.code, terminal.kind, coalesce(terminal_cell.cell_code, 'UNASSIGNED'),
       terminal.vendor, terminal.model,
       NOT EXISTS (
           SELECT FROM maintained
           WHERE (maintained.terminal_id IS NULL OR maintained.terminal_id = terminal.id)
             AND (maintained.kind IS NULL OR maintained.kind = terminal.kind)
             AND (maintained.cell_code IS NULL OR maintained.cell_code IN (
                 SELECT ancestor_code FROM cell_ancestor
                 WHERE cell_ancestor.cell_code = terminal_cell.cell_code))),
       terminal.commissioned_at
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
WHERE terminal.region_code = %(region)s
  AND (terminal.decommissioned_at IS NULL OR terminal.decommissioned_at > now());

-- name: cells_above
-- The cells above each cell, the nearest first.
SELECT cell_code, array_agg(ancestor_code ORDER BY distance)
FROM cell_ancestor
WHERE distance > 0
GROUP BY cell_code;

-- name: other_terminals
-- Where every other terminal belongs, to tell a stranger from one on the wrong topic.
SELECT code, region_code FROM terminal WHERE region_code <> %(region)s;

-- name: are_known
SELECT 1 FROM terminal_state WHERE terminal_id = ANY(%(ids)s) LIMIT 1;
