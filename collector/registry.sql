-- name: region_terminals
-- The terminals of a region that are in service, each with its present cell.
SELECT terminal.id, terminal.code, terminal.kind, coalesce(terminal_cell.cell_code, 'UNASSIGNED'),
       terminal.vendor, terminal.model
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

-- name: regions
SELECT code FROM region ORDER BY code;
