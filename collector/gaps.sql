-- name: first_boots
-- Of each terminal's first boot the count begins where it was first heard.
SELECT terminal.id, first.boot
FROM terminal
CROSS JOIN LATERAL (
    SELECT boot FROM boot_ledger WHERE terminal_id = terminal.id ORDER BY boot LIMIT 1
) AS first
WHERE terminal.region_code = %(region)s;

-- name: gaps
-- Of each boot with gaps: which seq are missing, and which were given up, first and last included.
-- Only broken ledgers are looked at, by the condition of their index; what came behind the last
-- range without being written down (`boot_received`) leaves no gap.
WITH ledger AS MATERIALIZED (
    SELECT terminal_id, boot, received, lost,
           CASE WHEN boot = (SELECT min(boot) FROM boot_ledger WHERE terminal_id = terminal.id)
                THEN lower(received) ELSE 1 END AS first
    FROM terminal
    JOIN boot_ledger ON terminal_id = terminal.id
    WHERE region_code = %(region)s AND NOT isempty(received)
      AND (lost <> '{}' OR lower(received) <> 1
           OR received <> int8multirange(range_merge(received)))
), gap AS (
    SELECT terminal_id, boot, lost,
           int8multirange(int8range(least(first, lower(received)), upper(received)))
           - received - lost AS missing
    FROM ledger
)
SELECT terminal_id, boot,
       ARRAY(SELECT lower(span) FROM unnest(missing) AS span ORDER BY 1),
       ARRAY(SELECT upper(span) - 1 FROM unnest(missing) AS span ORDER BY 1),
       ARRAY(SELECT lower(span) FROM unnest(lost) AS span ORDER BY 1),
       ARRAY(SELECT upper(span) - 1 FROM unnest(lost) AS span ORDER BY 1)
FROM gap
WHERE NOT isempty(missing) OR NOT isempty(lost);

-- name: tails
-- Of terminals: the boots before the one they go on with behind which was not asked yet, how far
-- each has come, and the next boot of which anything is stored.
SELECT ledger.terminal_id, ledger.boot, coalesce(upper(ledger.received) - 1, 0),
       coalesce((SELECT min(boot) FROM boot_ledger AS following
                 WHERE following.terminal_id = ledger.terminal_id
                   AND following.boot > ledger.boot), state.boot)
FROM unnest(%(ids)s::integer[]) AS wanted (terminal_id)
JOIN terminal_state AS state USING (terminal_id)
JOIN boot_ledger AS ledger USING (terminal_id)
WHERE ledger.boot < state.boot AND NOT ledger.asked_behind;

-- name: asked
UPDATE boot_ledger AS ledger SET asked_behind = true
FROM unnest(%(ids)s::integer[], %(boots)s::integer[]) AS over (terminal_id, boot)
WHERE (ledger.terminal_id, ledger.boot) = (over.terminal_id, over.boot);
