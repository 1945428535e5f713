-- name: due
-- Terminals that were marked, and say nothing more late for now, or were marked long enough ago.
SELECT terminal.code
FROM interval_recut AS mark JOIN terminal ON terminal.id = mark.terminal_id
WHERE mark.done_at IS NULL AND terminal.region_code = ANY(%(regions)s)
GROUP BY terminal.code
HAVING max(mark.marked_at) <= now() - %(quiet)s OR min(mark.marked_at) <= now() - %(longest)s
ORDER BY min(mark.marked_at), terminal.code
LIMIT %(rows)s;

-- name: take
-- What is marked of a terminal, as of its clock at the earliest; none where another takes care of it.
SELECT mark.id, upper(mark.said),
    lower(mark.said) - interval '1 second'
        - greatest(coalesce(clock.skew_us, 0), 0) * interval '1 microsecond'
FROM interval_recut AS mark
JOIN terminal ON terminal.id = mark.terminal_id
LEFT JOIN terminal_clock AS clock ON clock.terminal_id = mark.terminal_id
WHERE mark.done_at IS NULL AND terminal.code = %(terminal)s
FOR UPDATE OF mark SKIP LOCKED;

-- name: done
UPDATE interval_recut
SET done_at = now(), cut = CASE WHEN %(cut)s THEN tstzrange(%(begin)s, %(end)s) END
WHERE id = ANY(%(ids)s);

-- name: give_up
-- It cannot be done: the log says why. Not again and again.
UPDATE interval_recut AS mark SET done_at = now()
FROM terminal
WHERE terminal.id = mark.terminal_id AND mark.done_at IS NULL AND terminal.code = %(terminal)s;
