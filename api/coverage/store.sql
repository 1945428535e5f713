-- Where terminals stand now, and which of them work.

-- name: family
-- A cell that stands, and those below it; first itself.
SELECT cell.code, cell.name, cell.boundary, now() AS at,
    NOT EXISTS (
        SELECT FROM cell AS below
        WHERE below.parent_code = cell.code AND (below.valid_to IS NULL OR below.valid_to > now())
    ) AS leaf
FROM cell
WHERE cell.code IN (SELECT cell_family(%(cell)s))
    AND (cell.valid_to IS NULL OR cell.valid_to > now())
    AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
ORDER BY cell.code <> %(cell)s, cell.code;

-- name: standing
-- Those in a cell with all below it, or of all in a box. Of what nobody sees now it is not known that
-- it works.
SELECT terminal.code, terminal_cell.cell_code AS cell, terminal.kind, terminal.longitude,
    terminal.latitude,
    coalesce(coalesce(unseen.state, terminal_state.service_state) = ANY(%(up)s), false) AS working
FROM terminal
JOIN terminal_cell ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
LEFT JOIN terminal_state ON terminal_state.terminal_id = terminal.id
LEFT JOIN unseen ON unseen.region_code = terminal.region_code
WHERE (terminal.decommissioned_at IS NULL OR terminal.decommissioned_at > now())
    AND (%(cell)s::text IS NULL OR terminal_cell.cell_code IN (SELECT cell_family(%(cell)s)))
    AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
    AND terminal.longitude BETWEEN %(west)s AND %(east)s
    AND terminal.latitude BETWEEN %(south)s AND %(north)s
ORDER BY terminal.code;
