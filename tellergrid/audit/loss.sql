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

-- name: jumps
-- Of these boots: gaps wider than so many numbers, counting from 1 or from the first that is there.
WITH row AS (
    SELECT terminal_id, boot, seq FROM telemetry
    UNION ALL
    SELECT terminal_id, boot, seq FROM event
), gap AS (
    SELECT asked.terminal, asked.boot,
           row.seq - lag(row.seq, 1, asked.first - 1)
                     OVER (PARTITION BY asked.terminal, asked.boot ORDER BY row.seq) - 1 AS numbers
    FROM unnest(%(terminals)s::text[], %(boots)s::bigint[], %(firsts)s::bigint[])
        AS asked (terminal, boot, first)
    JOIN terminal ON terminal.code = asked.terminal
    JOIN row ON row.terminal_id = terminal.id AND row.boot = asked.boot
)
SELECT terminal, boot, count(*), sum(numbers)::bigint
FROM gap
WHERE numbers > %(widest)s
GROUP BY terminal, boot;
