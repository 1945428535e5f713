-- name: terminals
-- A region's terminals, those asked for alone if any are, each with its present cell and those above.
SELECT terminal.id, terminal.code, terminal.kind,
    coalesce(terminal_cell.cell_code, 'UNASSIGNED'), terminal.vendor, terminal.model,
    terminal.region_code,
    ARRAY(SELECT ancestor_code FROM cell_ancestor
        WHERE cell_ancestor.cell_code = terminal_cell.cell_code AND distance > 0
        ORDER BY distance),
    terminal.commissioned_at
FROM terminal
LEFT JOIN terminal_cell
    ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
WHERE (%(region)s::text IS NULL OR terminal.region_code = %(region)s)
    AND (%(codes)s::text[] IS NULL OR terminal.code = ANY (%(codes)s))
    AND (terminal.decommissioned_at IS NULL OR terminal.decommissioned_at > %(since)s)
ORDER BY terminal.id;

-- name: before
-- What was known of each terminal when a time began: its last message, the last whole snapshot, and
-- what was last said of its connection.
SELECT asked.id, last.boot, last.seq, last.ts, last.arrived_at,
    last.temperature_c, last.rtt_ms, last.disk_free_pct, last.extra::text,
    whole.status::text, whole.storage::text, said.online, said.arrived_at AS said_at
FROM unnest(%(ids)s::integer[]) AS asked (id)
LEFT JOIN LATERAL (
    SELECT * FROM telemetry
    WHERE telemetry.terminal_id = asked.id AND ts < %(at)s AND arrived_at < %(at)s
    ORDER BY ts DESC LIMIT 1) AS last ON true
LEFT JOIN LATERAL (
    SELECT status, storage FROM telemetry
    WHERE telemetry.terminal_id = asked.id AND ts < %(at)s AND arrived_at < %(at)s
        AND status IS NOT NULL
    ORDER BY ts DESC LIMIT 1) AS whole ON true
LEFT JOIN LATERAL (
    SELECT online, arrived_at FROM presence
    WHERE presence.terminal_id = asked.id AND presence.arrived_at < %(at)s
    ORDER BY arrived_at DESC LIMIT 1) AS said ON true;

-- name: heard
-- Everything that arrived of some terminals in a time, in the order of its arrival. What was kept
-- back for more than a week is left out: so no more of the table has to be read.
SELECT 'telemetry' AS kind, arrived_at, terminal_id, boot, seq, ts, temperature_c, rtt_ms,
    disk_free_pct, extra::text, status::text, storage::text, NULL::text AS body,
    NULL::boolean AS online, NULL::boolean AS retained
FROM telemetry
WHERE terminal_id = ANY (%(ids)s)
    AND ts >= %(since)s::timestamptz - interval '7 days'
    AND ts < %(said_until)s
    AND arrived_at >= %(since)s AND arrived_at < %(until)s
UNION ALL
SELECT 'event', arrived_at, terminal_id, boot, seq, ts, NULL, NULL, NULL, NULL, NULL, NULL,
    body::text, NULL, NULL
FROM event
WHERE terminal_id = ANY (%(ids)s)
    AND ts >= %(since)s::timestamptz - interval '7 days'
    AND ts < %(said_until)s
    AND arrived_at >= %(since)s AND arrived_at < %(until)s
UNION ALL
SELECT 'presence', arrived_at, terminal_id, boot, 0, arrived_at, NULL, NULL, NULL, NULL, NULL, NULL,
    NULL, online, retained
FROM presence
WHERE terminal_id = ANY (%(ids)s) AND arrived_at >= %(since)s AND arrived_at < %(until)s
ORDER BY arrived_at, terminal_id, boot, seq;

-- name: blind
-- When nobody saw a region: nobody was silent then.
SELECT lower(period), coalesce(upper(period), %(until)s::timestamptz),
    cause <> 'backlog' OR broker_too,
    coalesce(cause <> 'broker' AND NOT broker_too, false)
FROM blind
WHERE region_code = %(region)s AND period && tstzrange(%(since)s, %(until)s)
ORDER BY lower(period);

-- name: regions
SELECT DISTINCT region_code FROM terminal ORDER BY region_code;

-- name: catalogue
SELECT content FROM catalogue WHERE identity = %(identity)s;

-- name: catalogues_between
-- The catalogues by which a region was judged between two times, the one before them first.
SELECT since, catalogue.identity, catalogue.content
FROM catalogue_in_force AS term
JOIN catalogue USING (identity)
WHERE region_code = %(region)s AND since <= %(until)s
    AND NOT EXISTS (
        SELECT FROM catalogue_in_force AS later
        WHERE later.region_code = term.region_code
            AND later.since > term.since AND later.since <= %(since)s)
ORDER BY since;

-- name: catalogue_at
-- The catalogue by which a region was judged at a time.
SELECT catalogue.identity, catalogue.content
FROM catalogue_in_force
JOIN catalogue USING (identity)
WHERE region_code = %(region)s AND since <= %(at)s
ORDER BY since DESC
LIMIT 1;
