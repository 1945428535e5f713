-- Faults, the latest begun first.

-- name: faults
-- After a place in the order; each filter is off when null; one fault when `id` is given.
SELECT *
FROM fault_card
WHERE (%(id)s::uuid IS NULL OR id = %(id)s)
    AND (%(open)s::boolean IS NULL OR (cleared_at IS NULL) = %(open)s)
    AND (%(cell)s::text IS NULL OR cell IN (SELECT cell_family(%(cell)s)))
    AND (%(terminal)s::text IS NULL OR terminal = %(terminal)s)
    AND (%(rule)s::text IS NULL OR rule = %(rule)s)
    AND (%(severity)s::text IS NULL OR severity = %(severity)s)
    AND (%(scope)s::text[] IS NULL OR cell = ANY(%(scope)s))
    AND (started_at, id) < (
        coalesce(%(after_at)s::timestamptz, 'infinity'),
        coalesce(%(after_id)s::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
ORDER BY started_at DESC, id DESC
LIMIT %(rows)s;

-- name: open_of_terminal
SELECT *
FROM fault_card
WHERE terminal = %(terminal)s AND cleared_at IS NULL
    AND (%(scope)s::text[] IS NULL OR cell = ANY(%(scope)s))
ORDER BY started_at DESC, id DESC
LIMIT %(rows)s;

-- name: changes
SELECT fault_change.change, fault_change.severity, fault_change.at, fault_change.recorded_at
FROM fault_change
JOIN fault ON fault.id = fault_change.fault_id
WHERE fault_change.fault_id = %(id)s
    AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
ORDER BY fault_change.id;
