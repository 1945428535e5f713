-- name: first_boots
-- Of each terminal's first boot the count begins where it was first heard.
SELECT ledger.terminal_id, min(ledger.boot)
FROM boot_ledger AS ledger
JOIN terminal ON terminal.id = ledger.terminal_id
WHERE terminal.region_code = %(region)s
GROUP BY ledger.terminal_id;

-- name: gaps
-- Of each boot with gaps: which seq are missing, and which were given up, first and last included.
WITH ledger AS (
    SELECT terminal_id, boot, received, lost,
           CASE WHEN boot = min(boot) OVER (PARTITION BY terminal_id) THEN lower(received)
                ELSE 1 END AS first
    FROM boot_received
    JOIN terminal ON terminal.id = terminal_id
    WHERE terminal.region_code = %(region)s AND NOT isempty(received)
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
