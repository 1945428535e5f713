-- Terminals, with the latest that is known of each. A terminal's cell is the one it is in now.

-- name: terminals
-- By code, after a code; each filter is off when null; `pattern` is for ILIKE. With `id`, the one
-- terminal of that code.
SELECT terminal.code AS id, terminal.kind, terminal.vendor, terminal.model,
    terminal.region_code AS region, terminal.site, terminal.latitude, terminal.longitude,
    coalesce(terminal_cell.cell_code, 'UNASSIGNED') AS cell,
    coalesce(terminal_cell.method, 'unassigned') AS cell_method, terminal_cell.version AS map_version,
    terminal.skills, terminal.commissioned_at, terminal.decommissioned_at,
    coalesce(unseen.state, terminal_state.service_state, 'unknown') AS service_state,
    terminal_state.service_since, terminal_state.connected, terminal_state.heard_at,
    terminal_clock.skew_us / 1e6::float8 AS clock_skew_s,
    terminal_clock.measured_at AS clock_measured_at
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
LEFT JOIN terminal_state ON terminal_state.terminal_id = terminal.id
LEFT JOIN terminal_clock ON terminal_clock.terminal_id = terminal.id
LEFT JOIN unseen ON unseen.region_code = terminal.region_code
WHERE (%(id)s::text IS NULL OR terminal.code = %(id)s)
    AND (%(cell)s::text IS NULL OR terminal_cell.cell_code IN (SELECT cell_family(%(cell)s)))
    AND (%(states)s::text[] IS NULL
        OR coalesce(unseen.state, terminal_state.service_state, 'unknown') = ANY(%(states)s))
    AND (%(kind)s::text IS NULL OR terminal.kind = %(kind)s)
    AND (%(pattern)s::text IS NULL OR terminal.code ILIKE %(pattern)s
        OR terminal.site ILIKE %(pattern)s OR terminal.vendor ILIKE %(pattern)s
        OR terminal.model ILIKE %(pattern)s)
    AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
    AND terminal.code > coalesce(%(after)s::text, '')
ORDER BY terminal.code
LIMIT %(rows)s;

-- name: detail
-- One terminal with its latest telemetry, as it came; `ts` is null where it never sent any.
SELECT terminal.code AS id, terminal.kind, terminal.vendor, terminal.model,
    terminal.region_code AS region, terminal.site, terminal.latitude, terminal.longitude,
    coalesce(terminal_cell.cell_code, 'UNASSIGNED') AS cell,
    coalesce(terminal_cell.method, 'unassigned') AS cell_method, terminal_cell.version AS map_version,
    terminal.skills, terminal.commissioned_at, terminal.decommissioned_at,
    coalesce(unseen.state, terminal_state.service_state, 'unknown') AS service_state,
    terminal_state.service_since, terminal_state.connected, terminal_state.heard_at,
    terminal_clock.skew_us / 1e6::float8 AS clock_skew_s,
    terminal_clock.measured_at AS clock_measured_at,
    terminal_state.ts, terminal_state.arrived_at, terminal_state.boot, terminal_state.seq,
    terminal_snapshot.status, terminal_snapshot.storage, terminal_state.metrics
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
LEFT JOIN terminal_state ON terminal_state.terminal_id = terminal.id
LEFT JOIN terminal_clock ON terminal_clock.terminal_id = terminal.id
LEFT JOIN terminal_snapshot ON terminal_snapshot.terminal_id = terminal.id
LEFT JOIN unseen ON unseen.region_code = terminal.region_code
WHERE terminal.code = %(id)s
    AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s));
