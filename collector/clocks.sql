-- name: clocks
SELECT terminal_clock.terminal_id, terminal_clock.skew_us
FROM terminal_clock JOIN terminal ON terminal.id = terminal_clock.terminal_id
WHERE terminal.region_code = %(region)s;

-- name: note_clocks
INSERT INTO terminal_clock (terminal_id, skew_us, measured_at)
SELECT id, skew_us, %(at)s FROM unnest(%(ids)s::integer[], %(skews)s::bigint[]) AS clock (id, skew_us)
JOIN terminal USING (id)
ON CONFLICT (terminal_id) DO UPDATE
SET skew_us = EXCLUDED.skew_us, measured_at = EXCLUDED.measured_at;
