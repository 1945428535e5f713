-- Brings technicians from a file into the database; for the command line, which serves every cell.

-- name: lock
-- One import at a time; who reads is not kept waiting.
LOCK TABLE technician, technician_cell IN SHARE ROW EXCLUSIVE MODE;

-- name: standing
SELECT code, name, skills,
    ARRAY(SELECT cell_code FROM technician_cell
        WHERE technician_id = technician.id ORDER BY cell_code) AS cells,
    lines, home_latitude, home_longitude, zone,
    ARRAY(SELECT ARRAY[weekday, begins_minute, ends_minute] FROM technician_shift
        WHERE technician_id = technician.id ORDER BY weekday, begins_minute) AS shifts,
    most_visits
FROM technician
WHERE code = ANY(%(codes)s);

-- name: cells
SELECT code FROM cell WHERE valid_to IS NULL OR valid_to > now();

-- name: terminal_skills
SELECT DISTINCT unnest(skills) FROM terminal;

-- name: write
INSERT INTO technician (
    code, name, skills, lines, home_latitude, home_longitude, zone, most_visits)
VALUES (%(code)s, %(name)s, %(skills)s, %(lines)s, %(latitude)s::float8, %(longitude)s::float8,
    %(zone)s, %(most_visits)s)
ON CONFLICT (code) DO UPDATE
SET name = excluded.name, skills = excluded.skills, lines = excluded.lines,
    home_latitude = excluded.home_latitude, home_longitude = excluded.home_longitude,
    zone = excluded.zone, most_visits = excluded.most_visits;

-- name: leave_cells
DELETE FROM technician_cell
USING technician
WHERE technician.id = technician_cell.technician_id AND technician.code = %(code)s
    AND technician_cell.cell_code <> ALL(%(cells)s);

-- name: enter_cells
INSERT INTO technician_cell (technician_id, cell_code)
SELECT technician.id, cell
FROM technician, unnest(%(cells)s::text[]) AS cell
WHERE technician.code = %(code)s
ON CONFLICT DO NOTHING;

-- name: forget_shifts
DELETE FROM technician_shift
USING technician
WHERE technician.id = technician_shift.technician_id AND technician.code = %(code)s;

-- name: write_shifts
INSERT INTO technician_shift (technician_id, weekday, begins_minute, ends_minute)
SELECT technician.id, shift.weekday, shift.begins, shift.ends
FROM technician,
    unnest(%(weekdays)s::smallint[], %(begins)s::smallint[], %(ends)s::smallint[])
        AS shift (weekday, begins, ends)
WHERE technician.code = %(code)s;

-- name: announce
-- Whoever sends technicians looks again.
NOTIFY ticket;
