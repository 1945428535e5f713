-- name: open_work
-- What is wrong now, and how much of it somebody is meant to be working on.
SELECT
    (SELECT count(*) FROM fault WHERE cleared_at IS NULL) AS open_faults,
    (SELECT count(*) FROM ticket
     WHERE state NOT IN ('RESOLVED', 'CLOSED', 'CANCELLED', 'MERGED')) AS open_tickets
