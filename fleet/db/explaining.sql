-- name: known
-- The faults of a terminal that are open at a time, by event time, each with the one that spoke for
-- it then: a fault decided later than then had begun by then is among them.
SELECT fault.rule, fault.id::text, fault.item, fault.started_at, fault.fired_at, fault.cleared_at,
    fault.catalogue, speaker.id::text, speaker.rule, speaker.subject
FROM fault
LEFT JOIN LATERAL fault_speaker(fault.id, %(at)s) AS spoke ON true
LEFT JOIN fault AS speaker ON speaker.id = spoke.id
WHERE fault.terminal_id = %(id)s AND fault.fired_at <= %(at)s
    AND (fault.cleared_at IS NULL OR fault.cleared_at > %(at)s)
ORDER BY fault.fired_at, fault.id;

-- name: fault
-- One fault, with the one that spoke for it when it fired.
SELECT fault.scope, fault.subject, fault.rule, fault.id::text, fault.item, fault.started_at,
    fault.fired_at, fault.cleared_at, fault.catalogue, speaker.id::text, speaker.rule,
    speaker.subject
FROM fault
LEFT JOIN LATERAL fault_speaker(fault.id, fault.fired_at) AS spoke ON true
LEFT JOIN fault AS speaker ON speaker.id = spoke.id
WHERE fault.id = %(id)s;

-- name: members
-- The terminals that were bad when a cell's fault fired: those whose faults it spoke for, and those
-- of its rules that were open then in the cell or below it.
SELECT member.subject, member.rule, member.started_at
FROM fault
CROSS JOIN LATERAL (
    SELECT spoken.id FROM fault AS spoken WHERE spoken.suppressed_by = fault.id
    UNION
    SELECT bad.id
    FROM cell_family(fault.cell_code) AS family (code)
    JOIN fault AS bad ON bad.cell_code = family.code
    WHERE bad.rule = ANY (%(rules)s) AND bad.started_at <= fault.fired_at
        AND (bad.cleared_at IS NULL OR bad.cleared_at > fault.started_at)
) AS found
JOIN fault AS member ON member.id = found.id AND member.scope = 'terminal'
WHERE fault.id = %(id)s
ORDER BY member.started_at, member.subject;

-- name: subject
-- Whether a code is a terminal's or a cell's.
SELECT 'terminal' FROM terminal WHERE code = %(code)s
UNION ALL
SELECT 'cell' FROM cell WHERE code = %(code)s
LIMIT 1;

-- name: region
SELECT region_code FROM terminal WHERE code = %(code)s;
