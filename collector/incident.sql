-- name: alone
-- Regions begin and end incidents one after the other.
SELECT pg_advisory_xact_lock(hashtextextended('tellergrid/platform', 0));

-- name: begin
-- One incident at a time, however many regions are blind and whatever each believes the cause to be:
-- who notices first writes it.
INSERT INTO fault (id, scope, subject, cell_code, rule, severity, component, impact, title, remedy,
                   skill, line, started_at, fired_at, catalogue)
SELECT %(id)s, 'platform', %(subject)s, 'UNASSIGNED', %(rule)s, 'critical', 'platform', 'none',
    %(title)s, %(remedy)s, 'platform', 2, %(started_at)s, %(fired_at)s, 'none'
WHERE NOT EXISTS (
    SELECT FROM fault
    WHERE scope = 'platform' AND started_at <= %(until)s
        AND (cleared_at IS NULL OR cleared_at >= %(started_at)s))
RETURNING id;

-- name: end
-- Over where no region is blind any more but those that see again in this very transaction.
UPDATE fault SET cleared_at = greatest(started_at, %(at)s)
WHERE scope = 'platform' AND cleared_at IS NULL AND NOT EXISTS (
    SELECT FROM blind WHERE upper_inf(period) AND region_code <> %(region)s)
RETURNING id;

-- name: feed
INSERT INTO fault_change (fault_id, change, at) VALUES (%s, %s, %s);

-- name: notify
NOTIFY fault;
