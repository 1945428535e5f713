-- Whether the database is there and as this version needs it.

-- name: migrations
SELECT version, digest FROM schema_migration ORDER BY version;
