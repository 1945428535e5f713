-- What is kept, how long, and how.

-- name: as_owner
-- Chunks are their owner's; until this transaction ends.
SELECT set_config('role', 'none', true);

-- name: drop
-- Whole chunks, all of whose rows are older.
SELECT count(*) FROM drop_chunks(%(table)s::regclass, older_than => %(before)s::timestamptz);

-- name: before
SELECT now() - make_interval(days => %(days)s);

-- name: hours_from
-- Whoever asks reads what is older from the intervals.
UPDATE uptime_summed SET hours_from = greatest(hours_from, %(before)s);

-- name: terminals_from
UPDATE uptime_summed SET terminals_from = greatest(terminals_from, %(before)s);

-- name: licensed
-- Whether this edition of TimescaleDB has a columnstore.
SELECT current_setting('timescaledb.license', true) = 'timescale';

-- name: columnar
SELECT hypertable_name FROM timescaledb_information.hypertables
WHERE compression_enabled AND hypertable_name = ANY(%(tables)s);

-- name: columns_telemetry
ALTER TABLE telemetry SET (timescaledb.compress, timescaledb.compress_segmentby = 'terminal_id',
    timescaledb.compress_orderby = 'ts');

-- name: columns_event
ALTER TABLE event SET (timescaledb.compress, timescaledb.compress_segmentby = 'terminal_id',
    timescaledb.compress_orderby = 'ts');

-- name: columns_policy
SELECT add_compression_policy(%(table)s::regclass, make_interval(days => %(days)s),
    if_not_exists => true);
