-- What is kept, how long, and how.

-- name: drop
-- Whole chunks, all of whose rows are older.
SELECT drop_older(%(table)s::regclass, %(before)s::timestamptz);

-- name: be_brief
-- Give way before anybody is found in a deadlock, which takes a second.
SELECT set_config('lock_timeout', '500ms', true);

-- name: before
SELECT now() - make_interval(days => %(days)s);

-- name: hours_from
-- Whoever asks reads what is older from the intervals.
UPDATE uptime_summed SET hours_from = greatest(hours_from, %(before)s);

-- name: drop_crossings
-- What hours were put together with, that are read no more.
DELETE FROM uptime_crossing
USING uptime_summed
WHERE uptime_crossing.grain = 'hour' AND uptime_crossing.at < uptime_summed.hours_from;

-- name: terminals_from
UPDATE uptime_summed SET terminals_from = greatest(terminals_from, %(before)s);

-- name: licensed
-- Whether this edition of TimescaleDB has a columnstore.
SELECT current_setting('timescaledb.license', true) = 'timescale';

-- name: columnar
SELECT hypertable_name FROM timescaledb_information.hypertables
WHERE compression_enabled AND hypertable_name = ANY(%(tables)s);

-- name: columns
SELECT keep_as_columns(%(table)s::regclass, make_interval(days => %(days)s));
