-- Technicians. Whoever sees a cell sees those who answer for it, with the cells they both know.

-- name: technicians
-- By code, after a code.
SELECT technician.code, technician.name, technician.skills,
    ARRAY(
        SELECT technician_cell.cell_code FROM technician_cell
        WHERE technician_cell.technician_id = technician.id
            AND (%(scope)s::text[] IS NULL OR technician_cell.cell_code = ANY(%(scope)s))
        ORDER BY technician_cell.cell_code) AS cells,
    (SELECT count(*) FROM ticket
        WHERE ticket.technician_id = technician.id
            AND ticket.state IN ('ASSIGNED', 'ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
            AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
    ) AS to_do
FROM technician
WHERE technician.code > coalesce(%(after)s::text, '')
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT
        FROM technician_cell
        JOIN cell_ancestor ON cell_ancestor.ancestor_code = technician_cell.cell_code
        WHERE technician_cell.technician_id = technician.id
            AND cell_ancestor.cell_code = ANY(%(scope)s)))
ORDER BY technician.code
LIMIT %(rows)s;
