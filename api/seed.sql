-- What the demo grid writes. Every statement changes only rows that differ, so a second run is silent.
-- Once somebody has drawn the grid (grid_version), it is theirs: only terminals are added.

-- name: regions
INSERT INTO region (code, name)
SELECT code, initcap(replace(code, '-', ' ')) FROM unnest(%(codes)s::text[]) AS code
ON CONFLICT (code) DO NOTHING;

-- name: cells
-- One statement for the whole tree: a parent may stand after its child.
INSERT INTO cell (code, name, level, parent_code, boundary)
SELECT * FROM unnest(
    %(code)s::text[], %(name)s::text[], %(level)s::smallint[], %(parent)s::text[],
    %(boundary)s::jsonb[])
WHERE NOT EXISTS (SELECT FROM grid_version)
ON CONFLICT (code) DO UPDATE
SET name = excluded.name, level = excluded.level, parent_code = excluded.parent_code,
    boundary = excluded.boundary
WHERE (cell.name, cell.level, cell.parent_code, cell.boundary)
    IS DISTINCT FROM (excluded.name, excluded.level, excluded.parent_code, excluded.boundary);

-- name: terminals
-- A grid of more cells places terminals anew: they move, their age stays.
INSERT INTO terminal (
    code, kind, vendor, model, region_code, site, latitude, longitude, commissioned_at)
SELECT *, now() FROM unnest(
    %(code)s::text[], %(kind)s::text[], %(vendor)s::text[], %(model)s::text[], %(region)s::text[],
    %(site)s::text[], %(latitude)s::float8[], %(longitude)s::float8[])
ON CONFLICT (code) DO UPDATE
SET region_code = excluded.region_code, site = excluded.site,
    latitude = excluded.latitude, longitude = excluded.longitude
WHERE (terminal.region_code, terminal.site, terminal.latitude, terminal.longitude)
    IS DISTINCT FROM
    (excluded.region_code, excluded.site, excluded.latitude, excluded.longitude)
    AND NOT EXISTS (SELECT FROM grid_version);

-- name: leave_cells
-- Ends the membership of terminals that the grid now places elsewhere; the past stays as it was.
UPDATE terminal_cell
SET valid = tstzrange(lower(terminal_cell.valid), now())
FROM terminal
JOIN unnest(%(code)s::text[], %(cell)s::text[]) AS placed (code, cell) USING (code)
WHERE terminal_cell.terminal_id = terminal.id
    AND upper_inf(terminal_cell.valid)
    AND terminal_cell.cell_code <> placed.cell
    AND NOT EXISTS (SELECT FROM grid_version);

-- name: enter_cells
INSERT INTO terminal_cell (terminal_id, cell_code, valid, method)
SELECT terminal.id, coalesce(cell.code, 'UNASSIGNED'), tstzrange(now(), NULL),
    CASE WHEN cell.code IS NULL THEN 'unassigned' ELSE 'polygon' END
FROM terminal
JOIN unnest(%(code)s::text[], %(cell)s::text[]) AS placed (code, cell) USING (code)
LEFT JOIN cell ON cell.code = placed.cell AND cell.valid_to IS NULL
WHERE NOT EXISTS (
    SELECT FROM terminal_cell
    WHERE terminal_cell.terminal_id = terminal.id AND upper_inf(terminal_cell.valid));

-- name: technicians
INSERT INTO technician (code, name, skills, lines)
SELECT code, name, string_to_array(skills, ','), string_to_array(lines, ',')::smallint[]
FROM unnest(%(code)s::text[], %(name)s::text[], %(skills)s::text[], %(lines)s::text[])
    AS person (code, name, skills, lines)
ON CONFLICT (code) DO NOTHING;

-- name: technician_cells
INSERT INTO technician_cell (technician_id, cell_code)
SELECT technician.id, answers.cell
FROM unnest(%(technician)s::text[], %(cell)s::text[]) AS answers (technician, cell)
JOIN technician ON technician.code = answers.technician
WHERE NOT EXISTS (SELECT FROM grid_version)
ON CONFLICT DO NOTHING;

-- name: password_hashes
SELECT username, password_hash FROM account WHERE username = ANY(%(usernames)s);

-- name: accounts
INSERT INTO account (username, password_hash, role, technician_id)
SELECT wanted.username, wanted.password_hash, wanted.role, technician.id
FROM unnest(
    %(username)s::text[], %(password_hash)s::text[], %(role)s::text[], %(technician)s::text[]
) AS wanted (username, password_hash, role, technician)
LEFT JOIN technician ON technician.code = wanted.technician
ON CONFLICT (username) DO UPDATE SET password_hash = excluded.password_hash;

-- name: announce
-- Collectors reload their registry.
NOTIFY registry;
