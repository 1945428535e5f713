-- name: waiting
-- The messages of a region's terminals that wait for others.
SELECT waiting.terminal_id, waiting.boot, waiting.seq, waiting.arrived_at, waiting.channel,
       terminal.code, waiting.payload
FROM waiting_message AS waiting
JOIN terminal ON terminal.id = waiting.terminal_id
WHERE terminal.region_code = %(region)s;
