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
  AND activity.state_change > clock_timestamp() - interval '3 seconds';

-- name: holdings
-- Each region, and whose connection holds its lock; `stale` where that waits for somebody who lives no
-- more. A collector looks around twice a second on a connection of its own: when that and the one that
-- holds the region have said nothing for three seconds, the process sleeps. When only the one that
-- holds is mute it is given longer: it may be reading back what it knows of many terminals.
WITH lock AS (
    SELECT activity.pid, (lock.classid::bigint << 32) | lock.objid::bigint AS key,
           split_part(activity.application_name, ' ', 2) AS collector,
           activity.wait_event_type = 'Client' AS waits, activity.state = 'active' AS active,
           clock_timestamp() - activity.state_change AS mute
    FROM pg_locks AS lock
    JOIN pg_stat_activity AS activity USING (pid)
    WHERE lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
      AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
), looking AS (
    SELECT collector, min(mute) AS mute FROM lock
    WHERE key = hashtextextended('tellergrid/collectors', 0)
    GROUP BY collector
)
SELECT region.code, CASE WHEN lock.pid IS NOT NULL THEN coalesce(service.collector, '') END,
       lock.pid,
       coalesce(lock.waits AND (
           lock.mute > CASE WHEN lock.active THEN interval '30 seconds' ELSE interval '10 seconds' END
           OR lock.mute > interval '3 seconds'
              AND coalesce(looking.mute, interval '1 hour') > interval '3 seconds'), false)
FROM region
LEFT JOIN lock ON lock.key = hashtextextended('tellergrid/region/' || region.code, 0)
LEFT JOIN looking USING (collector)
LEFT JOIN region_service AS service ON service.region_code = region.code
ORDER BY region.code;

-- name: evict
SELECT pg_terminate_backend(%(backend)s);
