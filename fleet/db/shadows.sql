-- name: shadows
-- What rules on trial counted since a time: faults that fired, those still open, and those that would
-- have called for a ticket of their own.
SELECT rule, count(*), count(*) FILTER (WHERE cleared_at IS NULL),
    count(*) FILTER (WHERE alone AND severity <> 'warning'),
    count(DISTINCT (scope, subject)), count(*) FILTER (WHERE flapped), max(fired_at)
FROM shadow_fault
WHERE fired_at >= %(since)s
    AND (%(cells)s::text[] IS NULL OR cell_code = ANY (%(cells)s))
GROUP BY rule
ORDER BY rule;
