-- name: waiting
-- The messages of a region's terminals that wait for others.
SELECT waiting.terminal_id, waiting.boot, waiting.seq, waiting.arrived_at, waiting.channel,
       terminal.code, waiting.payload
FROM waiting_message AS waiting
JOIN terminal ON terminal.id = waiting.terminal_id
WHERE terminal.region_code = %(region)s;

-- name: wait
INSERT INTO waiting_message (terminal_id, boot, seq, arrived_at, channel, payload)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: wait_no_longer
DELETE FROM waiting_message WHERE terminal_id = %s AND boot = %s AND seq = %s;

-- name: late
INSERT INTO late_message (terminal_id, boot, seq, channel, ts, arrived_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: jump
INSERT INTO clock_jump (terminal_id, boot, seq, ts, arrived_at, set_by)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;
