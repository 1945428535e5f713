-- name: open_work
-- What is wrong now, and how much of it somebody is meant to be working on.
SELECT
    (SELECT count(*) FROM fault WHERE cleared_at IS NULL) AS open_faults,
    (SELECT count(*) FROM ticket
     WHERE state NOT IN ('RESOLVED', 'CLOSED', 'CANCELLED', 'MERGED')) AS open_tickets;

-- name: regions
-- Who holds each region's lock; blind where nobody has seen it for a while.
SELECT region.code, CASE WHEN lock.pid IS NOT NULL THEN service.collector END AS collector,
       CASE WHEN lock.pid IS NOT NULL THEN service.taken_at END AS taken_at,
       (SELECT lower(period) FROM blind
        WHERE region_code = region.code AND upper_inf(period)) AS blind_since
FROM region
LEFT JOIN region_service AS service ON service.region_code = region.code
LEFT JOIN pg_locks AS lock
    ON (lock.classid::bigint << 32) | lock.objid::bigint
        = hashtextextended('tellergrid/region/' || region.code, 0)
    AND lock.locktype = 'advisory' AND lock.granted AND lock.objsubid = 1
    AND lock.database = (SELECT oid FROM pg_database WHERE datname = current_database())
ORDER BY region.code;
