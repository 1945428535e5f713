-- Cells and what is in them now. Counts are of a cell with all below it.

-- name: cells
-- In order of code, after a code; one cell when `code` is given, else those that stand now. The
-- codes of each family are an array, for which the planner looks into indexes instead of reading
-- whole tables.
SELECT page.*, member.terminals, member.by_state,
    (SELECT count(*) FROM fault
        WHERE fault.cell_code = ANY(family.codes) AND fault.cleared_at IS NULL) AS open_faults,
    (SELECT count(*) FROM ticket
        WHERE ticket.cell_code = ANY(family.codes)
            AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')) AS open_tickets
FROM (
    SELECT code, name, level, parent_code AS parent, boundary, valid_from, valid_to
    FROM cell
    WHERE (code = %(code)s
            OR %(code)s::text IS NULL AND (valid_to IS NULL OR valid_to > now()))
        AND code > coalesce(%(after)s::text, '')
        AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s))
    ORDER BY code
    LIMIT %(rows)s
) AS page
CROSS JOIN LATERAL (SELECT ARRAY(SELECT cell_family(page.code)) AS codes) AS family
CROSS JOIN LATERAL (
    SELECT coalesce(sum(n), 0)::integer AS terminals,
        coalesce(json_object_agg(state, n), '{}') AS by_state
    FROM (
        SELECT coalesce(unseen.state, terminal_state.service_state, 'unknown') AS state,
            count(*) AS n
        FROM terminal_cell
        JOIN terminal ON terminal.id = terminal_cell.terminal_id
        LEFT JOIN terminal_state ON terminal_state.terminal_id = terminal.id
        LEFT JOIN unseen ON unseen.region_code = terminal.region_code
        WHERE terminal_cell.cell_code = ANY(family.codes)
            AND terminal_cell.valid @> now()
            AND (terminal.decommissioned_at IS NULL OR terminal.decommissioned_at > now())
        GROUP BY 1
    ) AS in_state
) AS member
ORDER BY page.code;

-- name: people
-- Who answers for a cell, directly or through a cell above it; the nearest first.
SELECT technician.code, technician.name, technician.skills,
    cell_ancestor.ancestor_code AS answers_for
FROM cell_ancestor
JOIN technician_cell ON technician_cell.cell_code = cell_ancestor.ancestor_code
JOIN technician ON technician.id = technician_cell.technician_id
WHERE cell_ancestor.cell_code = %(code)s
    AND (%(scope)s::text[] IS NULL OR cell_ancestor.cell_code = ANY(%(scope)s))
ORDER BY cell_ancestor.distance, technician.code;
