-- name: members
-- The terminals that were in a cell or below it at some time in a while, by region.
SELECT DISTINCT terminal.region_code, terminal.code
FROM cell_family_during(%(cell)s, tstzrange(%(since)s, %(until)s, '[]')) AS family
JOIN terminal_cell
    ON terminal_cell.cell_code = family.code AND terminal_cell.valid && family.during
JOIN terminal ON terminal.id = terminal_cell.terminal_id
ORDER BY terminal.region_code, terminal.code;

-- name: standing
-- The faults that were open when a replay begins: of the terminals, and of the cell's part here.
SELECT scope, terminal_id, rule, item, fired_at, started_at, id, suppressed_by
FROM fault
WHERE fired_at <= %(at)s AND (cleared_at IS NULL OR cleared_at > %(at)s)
    AND ((scope = 'terminal' AND terminal_id = ANY (%(ids)s))
        OR (scope = 'cell' AND subject = %(cell)s AND item = %(region)s));

-- name: known
-- The faults of a cell that are open at a time, each with the one that spoke for it then.
SELECT fault.rule, fault.id::text, fault.item, fault.started_at, fault.fired_at, fault.cleared_at,
    fault.catalogue, speaker.id::text, speaker.rule, speaker.subject
FROM fault
LEFT JOIN LATERAL fault_speaker(fault.id, %(at)s) AS spoke ON true
LEFT JOIN fault AS speaker ON speaker.id = spoke.id
WHERE fault.scope = 'cell' AND fault.subject = %(cell)s AND fault.item = %(region)s
    AND fault.fired_at <= %(at)s
    AND (fault.cleared_at IS NULL OR fault.cleared_at > %(at)s)
ORDER BY fault.fired_at, fault.id;
