-- The database's clock is the one that all stored times are by.

-- name: now
SELECT now();
