-- name: terminal_states
SELECT state.terminal_id, state.boot, state.seq, state.ts, state.arrived_at, state.heard_at,
       state.connected, snapshot.status::text, snapshot.storage::text, state.metrics::text,
       state.service_state, state.service_since, state.clock_off
FROM terminal_state AS state
JOIN terminal ON terminal.id = state.terminal_id
LEFT JOIN terminal_snapshot AS snapshot ON snapshot.terminal_id = state.terminal_id
WHERE terminal.region_code = %(region)s;

-- name: births
-- Those after which a will of the connection before may come still, the oldest first. What a clock
-- cannot have said may be beyond what can be read.
SELECT presence.terminal_id, presence.said_at, presence.boot, presence.arrived_at
FROM presence
JOIN terminal ON terminal.id = presence.terminal_id
WHERE terminal.region_code = %(region)s AND presence.arrived_at >= %(since)s
    AND presence.online AND NOT presence.retained
    AND abs(extract(year FROM presence.said_at) - extract(year FROM presence.arrived_at)) < 1000
ORDER BY presence.arrived_at;

-- name: holds
-- The holds of a region's terminals, and of its part of each cell.
SELECT hold.scope, hold.subject, hold.rule, hold.item, hold.phase, hold.since, hold.started_at,
       hold.fault_id, coalesce(fault.suppressed_by, shadow_fault.suppressed_by), hold.flapping,
       shadow_fault.id IS NOT NULL, coalesce(fault.severity, shadow_fault.severity),
       hold.counted_at
FROM hold
LEFT JOIN fault ON fault.id = hold.fault_id
LEFT JOIN shadow_fault ON shadow_fault.id = hold.fault_id
LEFT JOIN terminal ON hold.scope = 'terminal' AND terminal.code = hold.subject
WHERE terminal.region_code = %(region)s
   OR (hold.scope = 'cell' AND hold.item = %(region)s);

-- name: transitions
-- The transitions of a region's terminals, and of its part of each cell.
SELECT hold_transition.scope, hold_transition.subject, hold_transition.rule, hold_transition.item,
       hold_transition.times, hold_transition.raised
FROM hold_transition
LEFT JOIN terminal
    ON hold_transition.scope = 'terminal' AND terminal.code = hold_transition.subject
WHERE terminal.region_code = %(region)s
   OR (hold_transition.scope = 'cell' AND hold_transition.item = %(region)s);

-- name: slopes
SELECT slope.terminal, slope.rule, slope.item, slope.times, slope.levels, slope.level
FROM slope
JOIN terminal ON terminal.code = slope.terminal
WHERE terminal.region_code = %(region)s;

-- name: event_counts
SELECT event_count.terminal, event_count.rule, event_count.times
FROM event_count
JOIN terminal ON terminal.code = event_count.terminal
WHERE terminal.region_code = %(region)s;

-- name: left_behind
-- The terminals of a region that are decommissioned and have holds still: nobody served the region
-- when they left. They are in no cell any more.
SELECT terminal.id, terminal.code, terminal.kind, 'UNASSIGNED', terminal.vendor, terminal.model
FROM terminal
WHERE terminal.region_code = %(region)s AND terminal.decommissioned_at <= now()
  AND EXISTS (SELECT FROM hold WHERE hold.scope = 'terminal' AND hold.subject = terminal.code);
