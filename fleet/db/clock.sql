-- What time it is where times are kept.

-- name: now
SELECT now();
