-- name: stored
-- Per terminal and boot, from the rows themselves: how many, how many different, from where to
-- where; and what the ledger counted as dropped duplicates.
WITH row AS (
    SELECT terminal_id, boot, seq FROM telemetry
    UNION ALL
    SELECT terminal_id, boot, seq FROM event
)
SELECT terminal.code, row.boot, count(*), count(DISTINCT row.seq), min(row.seq), max(row.seq),
       coalesce(max(ledger.doubled), 0),
       row.boot = min(row.boot) OVER (PARTITION BY terminal.code)
FROM row
JOIN terminal ON terminal.id = row.terminal_id
LEFT JOIN boot_ledger AS ledger
    ON ledger.terminal_id = row.terminal_id AND ledger.boot = row.boot
WHERE %(terminal)s::text IS NULL OR terminal.code = %(terminal)s
GROUP BY terminal.code, row.boot
ORDER BY terminal.code, row.boot;
