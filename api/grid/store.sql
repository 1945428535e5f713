-- The grid for whoever draws it: operations at the shell, who see every cell.

-- name: lock
-- One change of the map at a time; who reads is not kept waiting.
LOCK TABLE cell, terminal_cell IN SHARE ROW EXCLUSIVE MODE;

-- name: begin
-- From when on a change holds: from when its turn came. Its transaction may have begun before the one
-- that it waited for.
SELECT set_config('tellergrid.map_changes_at', clock_timestamp()::text, true);

-- name: standing
-- Every cell that stands now, with the people who answer for it directly.
SELECT code, name, level, parent_code, boundary, properties,
    ARRAY(SELECT technician.code
        FROM technician_cell JOIN technician ON technician.id = technician_cell.technician_id
        WHERE technician_cell.cell_code = cell.code ORDER BY 1) AS people
FROM cell
WHERE code <> 'UNASSIGNED' AND (valid_to IS NULL OR valid_to > map_changes_at())
    AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s))
ORDER BY code;

-- name: standing_at
-- Every cell as it was at an instant, with the people who answered for it then.
SELECT version.cell_code, version.name, version.level, version.parent_code, version.boundary,
    version.properties,
    ARRAY(SELECT technician.code
        FROM technician_cell_version AS answered
        JOIN technician ON technician.id = answered.technician_id
        WHERE answered.cell_code = cell.code AND answered.valid @> %(at)s ORDER BY 1) AS people
FROM cell_version AS version JOIN cell ON cell.code = version.cell_code
WHERE version.valid @> %(at)s::timestamptz AND cell.valid_from <= %(at)s
    AND cell.code <> 'UNASSIGNED'
    AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
ORDER BY version.cell_code;

-- name: versions
-- All that a cell was, the first to the last.
SELECT version.name, version.level, version.parent_code AS parent, version.boundary,
    version.properties, greatest(lower(version.valid), cell.valid_from) AS begin,
    upper(version.valid) AS end
FROM cell_version AS version JOIN cell ON cell.code = version.cell_code
WHERE version.cell_code = %(code)s
    AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
ORDER BY version.valid;

-- name: answered
-- Who answered for a cell directly, from when to when.
SELECT technician.code AS technician, greatest(lower(answered.valid), cell.valid_from) AS begin,
    least(upper(answered.valid), cell.valid_to) AS end
FROM technician_cell_version AS answered
JOIN technician ON technician.id = answered.technician_id
JOIN cell ON cell.code = answered.cell_code
WHERE answered.cell_code = %(code)s
    AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
ORDER BY answered.valid, technician.code;

-- name: technicians
SELECT code FROM technician;

-- name: write_cells
-- One statement for the whole tree: a parent may stand after its child.
INSERT INTO cell (code, name, level, parent_code, boundary, properties)
SELECT * FROM unnest(
    %(code)s::text[], %(name)s::text[], %(level)s::smallint[], %(parent)s::text[],
    %(boundary)s::jsonb[], %(properties)s::jsonb[])
ON CONFLICT (code) DO UPDATE
SET name = excluded.name, level = excluded.level, parent_code = excluded.parent_code,
    boundary = excluded.boundary, properties = excluded.properties, valid_to = NULL;

-- name: end_cells
UPDATE cell SET valid_to = map_changes_at() WHERE code = ANY(%(codes)s);

-- name: new_version
-- What was changed on the map, and by whom.
INSERT INTO grid_version (at, author, reason, added, changed, ended)
VALUES (map_changes_at(), %(author)s, %(reason)s, %(added)s, %(changed)s, %(ended)s)
RETURNING id;

-- name: dismiss_people
DELETE FROM technician_cell WHERE cell_code = ANY(%(codes)s);

-- name: appoint_people
INSERT INTO technician_cell (technician_id, cell_code)
SELECT technician.id, answers.cell
FROM unnest(%(people)s::text[], %(cells)s::text[]) AS answers (person, cell)
JOIN technician ON technician.code = answers.person;

-- name: placed
-- Where every terminal in commission stands, and the cell it is in.
SELECT terminal.code, terminal.longitude, terminal.latitude, terminal.cell_override,
    terminal_cell.cell_code, terminal_cell.method
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> map_changes_at()
WHERE terminal.decommissioned_at IS NULL OR terminal.decommissioned_at > map_changes_at();

-- name: forget_memberships
-- Those that would be left without a moment, because they began just now.
DELETE FROM terminal_cell USING terminal
WHERE terminal.id = terminal_cell.terminal_id AND terminal.code = ANY(%(codes)b::text[])
    AND lower(terminal_cell.valid) >= map_changes_at();

-- name: end_memberships
UPDATE terminal_cell SET valid = tstzrange(lower(terminal_cell.valid), map_changes_at())
FROM terminal
WHERE terminal.id = terminal_cell.terminal_id AND terminal.code = ANY(%(codes)b::text[])
    AND terminal_cell.valid @> map_changes_at();

-- name: begin_memberships
INSERT INTO terminal_cell (terminal_id, cell_code, valid, method, version)
SELECT terminal.id, moved.cell, tstzrange(map_changes_at(), NULL), moved.method,
    (SELECT max(grid_version.id) FROM grid_version)
FROM unnest(%(codes)b::text[], %(cells)b::text[], %(methods)b::text[])
    AS moved (code, cell, method)
JOIN terminal ON terminal.code = moved.code;

-- name: registered
SELECT terminal.code, terminal.kind, terminal.vendor, terminal.model,
    terminal.region_code AS region, terminal.site, terminal.latitude, terminal.longitude,
    terminal.cell_override AS cell, terminal.commissioned_at, terminal.skills,
    coalesce(used.schedule_code, '') AS schedule
FROM terminal
LEFT JOIN service_schedule_use AS used
    ON used.terminal_id = terminal.id AND used.valid @> map_changes_at()
WHERE terminal.code = ANY(%(codes)s);

-- name: out_of_fleet
-- Those that were taken out of the fleet, and since when.
SELECT code, decommissioned_at FROM terminal
WHERE code = ANY(%(codes)s) AND decommissioned_at <= clock_timestamp()
ORDER BY code;

-- name: regions
-- Regions that a file names for the first time.
INSERT INTO region (code, name)
SELECT code, initcap(replace(code, '-', ' ')) FROM unnest(%(codes)s::text[]) AS code
ON CONFLICT (code) DO NOTHING
RETURNING code;

-- name: write_terminals
-- Skills are an array in one text, for arrays of arrays must be of one length; null leaves them.
-- Arrays of what is never null go in binary: in text each element is escaped.
INSERT INTO terminal (code, kind, vendor, model, region_code, site, latitude, longitude,
    cell_override, commissioned_at, skills)
SELECT code, kind, vendor, model, region, site, latitude, longitude, override,
    coalesce(commissioned_at, now()), coalesce(skills::text[], '{}')
FROM unnest(
    %(code)b::text[], %(kind)b::text[], %(vendor)b::text[], %(model)b::text[], %(region)b::text[],
    %(site)b::text[], %(latitude)b::float8[], %(longitude)b::float8[], %(cell)s::text[],
    %(commissioned_at)s::timestamptz[], %(skills)s::text[]
) AS file (code, kind, vendor, model, region, site, latitude, longitude, override, commissioned_at,
    skills)
ON CONFLICT (code) DO UPDATE
SET kind = excluded.kind, vendor = excluded.vendor, model = excluded.model,
    region_code = excluded.region_code, site = excluded.site, latitude = excluded.latitude,
    longitude = excluded.longitude, cell_override = excluded.cell_override;

-- name: write_skills
UPDATE terminal SET skills = file.skills::text[]
FROM unnest(%(code)s::text[], %(skills)s::text[]) AS file (code, skills)
WHERE terminal.code = file.code AND file.skills IS NOT NULL;

-- name: schedules
SELECT code FROM service_schedule;

-- name: forget_uses
-- A schedule that began just now was never served by.
DELETE FROM service_schedule_use USING terminal
WHERE terminal.id = service_schedule_use.terminal_id AND terminal.code = ANY(%(codes)s)
    AND lower(service_schedule_use.valid) >= map_changes_at();

-- name: end_uses
UPDATE service_schedule_use SET valid = tstzrange(lower(service_schedule_use.valid), map_changes_at())
FROM terminal
WHERE terminal.id = service_schedule_use.terminal_id AND terminal.code = ANY(%(codes)s)
    AND service_schedule_use.valid @> map_changes_at();

-- name: begin_uses
INSERT INTO service_schedule_use (schedule_code, terminal_id, valid, author, reason)
SELECT file.schedule, terminal.id, tstzrange(map_changes_at(), NULL), %(author)s, 'the registry of terminals'
FROM unnest(%(codes)s::text[], %(schedules)s::text[]) AS file (code, schedule)
JOIN terminal ON terminal.code = file.code
WHERE file.schedule <> '';

-- name: decommission
-- Out of the fleet from now on; what it did stays.
UPDATE terminal SET decommissioned_at = now()
WHERE code = %(code)s AND (decommissioned_at IS NULL OR decommissioned_at > now());

-- name: recommission
-- A file that says when a terminal came may correct what was known.
UPDATE terminal SET commissioned_at = file.at
FROM unnest(%(code)s::text[], %(commissioned_at)s::timestamptz[]) AS file (code, at)
WHERE terminal.code = file.code AND file.at <> terminal.commissioned_at;

-- name: announce
-- Collectors reload their registry.
NOTIFY registry;
