-- Technicians. Whoever sees a cell sees those who answer for it, with the cells they both know.

-- name: technicians
-- By code, after a code; one where `code` is given. Home and position are for operations and for
-- themselves: null to others.
SELECT technician.id, technician.code, technician.name, technician.skills, technician.lines,
    technician.most_visits, technician.zone,
    ARRAY(
        SELECT technician_cell.cell_code FROM technician_cell
        WHERE technician_cell.technician_id = technician.id
            AND (%(scope)s::text[] IS NULL OR technician_cell.cell_code = ANY(%(scope)s))
        ORDER BY technician_cell.cell_code) AS cells,
    (SELECT count(*) FROM ticket
        WHERE ticket.technician_id = technician.id
            AND ticket.state IN ('ASSIGNED', 'ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
            AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
    ) AS to_do,
    CASE WHEN known.known THEN technician.home_latitude END AS home_latitude,
    CASE WHEN known.known THEN technician.home_longitude END AS home_longitude,
    CASE WHEN known.known THEN technician_position.latitude END AS latitude,
    CASE WHEN known.known THEN technician_position.longitude END AS longitude,
    CASE WHEN known.known THEN technician_position.at END AS position_at
FROM technician
CROSS JOIN LATERAL (SELECT %(everybody)s OR technician.id = %(technician_id)s) AS known (known)
LEFT JOIN technician_position ON technician_position.technician_id = technician.id
WHERE technician.code > coalesce(%(after)s::text, '')
    AND (%(code)s::text IS NULL OR technician.code = %(code)s)
    AND (%(scope)s::text[] IS NULL OR EXISTS (
        SELECT
        FROM technician_cell
        JOIN cell_ancestor ON cell_ancestor.ancestor_code = technician_cell.cell_code
        WHERE technician_cell.technician_id = technician.id
            AND cell_ancestor.cell_code = ANY(%(scope)s)))
ORDER BY technician.code
LIMIT %(rows)s;

-- name: shifts
SELECT weekday, begins_minute, ends_minute
FROM technician_shift
WHERE technician_id = %(id)s
ORDER BY weekday, begins_minute;

-- name: absences
-- Those that are not over. Why, is for operations and for themselves.
SELECT id, begins_at, ends_at, CASE WHEN %(known)s THEN reason END AS reason
FROM technician_absence
WHERE technician_id = %(id)s AND ends_at > now()
ORDER BY begins_at, id;

-- name: here
-- Where a technician is; what is older than what is known is left out.
INSERT INTO technician_position (technician_id, latitude, longitude, at)
VALUES (%(technician_id)s, %(latitude)s, %(longitude)s, least(%(at)s::timestamptz, now()))
ON CONFLICT (technician_id) DO UPDATE
SET latitude = excluded.latitude, longitude = excluded.longitude, at = excluded.at
WHERE technician_position.at < excluded.at;
