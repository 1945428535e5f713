-- name: join
-- As long as this connection lasts and talks, its collector counts as one of those that share.
SELECT pg_advisory_lock_shared(hashtextextended('tellergrid/collectors', 0));

-- name: members
-- The names of the collectors that share: what they call their connection, behind the first word.
SELECT DISTINCT split_part(activity.application_name, ' ', 2)
FROM pg_locks AS lock
JOIN pg_stat_activity AS activity USING (pid)
WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
  AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (lock.classid::bigint << 32) | lock.objid::bigint
      = hashtextextended('tellergrid/collectors', 0)
  AND activity.state_change > clock_timestamp() - interval '4 seconds';

-- name: holdings
-- Each region, and whose connection holds its lock. A holder says something every second; one whose
-- connection waits for it longer does not live. While a statement is at work it may be the
-- database that is slow: that is given longer.
WITH lock AS (
    SELECT activity.pid, (lock.classid::bigint << 32) | lock.objid::bigint AS key,
           coalesce(activity.wait_event_type = 'Client'
               AND activity.state_change < clock_timestamp() - CASE
                   WHEN activity.state = 'active' THEN interval '30 seconds'
                   ELSE interval '4 seconds' END, false) AS stale
    FROM pg_locks AS lock
    JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
)
SELECT region.code, CASE WHEN lock.pid IS NOT NULL THEN coalesce(service.collector, '') END,
       lock.pid, coalesce(lock.stale, false)
FROM region
LEFT JOIN lock ON lock.key = hashtextextended('tellergrid/region/' || region.code, 0)
LEFT JOIN region_service AS service ON service.region_code = region.code
ORDER BY region.code;

-- name: evict
SELECT pg_terminate_backend(%(backend)s);
