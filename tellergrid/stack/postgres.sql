-- name: is_database
-- Whether a database of a name exists.
SELECT 1 FROM pg_database WHERE datname = %s

-- name: create_database
-- The one database of the stack; the name is the stack's own.
CREATE DATABASE tellergrid

-- name: create_extension
-- Superusers only, so done here and not left to a migration.
CREATE EXTENSION IF NOT EXISTS timescaledb
