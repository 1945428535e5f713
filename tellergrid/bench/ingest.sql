-- name: clear
TRUNCATE terminal, telemetry, event, boot_ledger, terminal_state, terminal_snapshot,
         service_interval, hold, fault_change, fault, quarantine CASCADE;

-- name: register
-- So many terminals, ten to a cell; id and code count alike.
WITH place AS (
    INSERT INTO cell (code, name, level, boundary)
    SELECT 'C' || n, 'Cell ' || n, 0, '{"type": "MultiPolygon", "coordinates": []}'
    FROM generate_series(0, (%(terminals)s - 1) / 10) AS n
    ON CONFLICT DO NOTHING
), zone AS (
    INSERT INTO region (code, name) VALUES ('bench', 'Benchmark') ON CONFLICT DO NOTHING
), machine AS (
    INSERT INTO terminal (id, code, kind, vendor, model, region_code, site, latitude, longitude,
                          commissioned_at)
    OVERRIDING SYSTEM VALUE
    SELECT n + 1, 'ATM-' || lpad(n::text, 6, '0'), 'atm', 'v', 'm', 'bench', 's', 0, 0,
           now() - interval '1 day'
    FROM generate_series(0, %(terminals)s - 1) AS n
    ON CONFLICT DO NOTHING
    RETURNING id
)
INSERT INTO terminal_cell (terminal_id, cell_code, valid, method)
SELECT id, 'C' || (id - 1) / 10, tstzrange(now() - interval '1 day', NULL), 'polygon'
FROM machine;

-- name: settle
-- A fleet's tables are not new: what autovacuum does within a minute is done.
VACUUM ANALYZE;

-- name: flush
-- What was written before the clock starts is not to be flushed to disk while it runs.
CHECKPOINT;

-- name: seen
SELECT count(*) FROM region_service WHERE seen_until IS NOT NULL;

-- name: count
SELECT count(*) FROM telemetry;

-- name: blind
-- Seconds in which a region was not seen, of all regions together.
SELECT coalesce(sum(extract(epoch FROM upper(period) - lower(period))), 0)::float8 FROM blindness;

-- name: took
-- Of the messages behind the warm-up: how many, and seconds from the first arrival to the last
-- commit.
SELECT count(*), extract(epoch FROM max(pg_xact_commit_timestamp(xmin)) - min(arrived_at))::float8
FROM telemetry WHERE ts >= %(since)s;

-- name: latency
-- Milliseconds from publish to commit: half of the messages, and all but one percent.
SELECT percentile_cont(ARRAY[0.5, 0.99]) WITHIN GROUP (
    ORDER BY extract(epoch FROM pg_xact_commit_timestamp(xmin) - ts) * 1000)
FROM telemetry WHERE ts >= %(since)s;

-- name: bytes
-- On disk with indexes, a row.
SELECT hypertable_size('telemetry')::float8 / count(*) FROM telemetry;

-- name: make_jsonb
CREATE TABLE IF NOT EXISTS jsonb_yardstick (ts timestamptz, terminal_id integer, body jsonb);

-- name: index_jsonb
CREATE INDEX IF NOT EXISTS jsonb_yardstick_terminal ON jsonb_yardstick (terminal_id, ts DESC);

-- name: jsonb_bytes
SELECT pg_total_relation_size('jsonb_yardstick')::float8 / count(*) FROM jsonb_yardstick;
