-- The benchmark of uptime: a fleet that lived, and the naive way beside ours.

-- name: drop
DROP DATABASE IF EXISTS tellergrid_bench_uptime WITH (FORCE);

-- name: create
CREATE DATABASE tellergrid_bench_uptime;

-- name: backdate
-- What was imported just now has stood since the beginning.
UPDATE terminal_cell SET valid = tstzrange(%(begin)s, NULL) WHERE %(days)s > 0;

-- name: without_exclusion
-- The index that refuses overlap is built at the end, all at once; no sums are there to be stale.
ALTER TABLE service_interval DROP CONSTRAINT service_interval_terminal_id_period_excl,
    DISABLE TRIGGER USER;

-- name: live
-- A day of every terminal: up, then down for half an hour, at a time of the terminal's own.
INSERT INTO service_interval (terminal_id, state, period, causes)
SELECT terminal.id, life.state, life.period, life.causes
FROM (SELECT %(day)s::integer AS day) AS today
CROSS JOIN terminal
CROSS JOIN LATERAL (
    SELECT %(begin)s::timestamptz + make_interval(days => day) AS began,
        make_interval(secs => 3600 + terminal.id * 7919 %% 79200) AS after
) AS at
CROSS JOIN LATERAL (VALUES
    ('in_service', tstzrange(
        CASE WHEN day = 0 THEN at.began ELSE at.began - interval '1 day' + at.after
            + interval '30 minutes' END, at.began + at.after), '{}'::text[]),
    (CASE (terminal.id + day) %% 3 WHEN 0 THEN 'offline' WHEN 1 THEN 'cash_out'
        ELSE 'out_of_service' END,
        tstzrange(at.began + at.after, at.began + at.after + interval '30 minutes'),
        ARRAY['rule-' || (terminal.id + day) %% 30])
) AS life (state, period, causes);

-- name: with_exclusion
ALTER TABLE service_interval ADD CONSTRAINT service_interval_terminal_id_period_excl
    EXCLUDE USING gist (terminal_id WITH =, period WITH &&), ENABLE TRIGGER USER;

-- name: naive_table
CREATE TABLE naive_heartbeat (terminal_id integer NOT NULL, ts timestamptz NOT NULL, state text);

-- name: beat
-- A row a minute of the terminals of one cell, for the whole fleet's would not fit.
INSERT INTO naive_heartbeat
SELECT interval.terminal_id, ts, interval.state
FROM terminal_cell
JOIN service_interval AS interval USING (terminal_id)
CROSS JOIN LATERAL generate_series(
    date_trunc('minute', lower(interval.period)), upper(interval.period), interval '1 minute'
) AS ts
WHERE terminal_cell.cell_code = %(cell)s AND upper_inf(terminal_cell.valid)
    AND interval.period @> ts AND ts < %(begin)s::timestamptz + make_interval(days => %(days)s);

-- name: naive_index
CREATE INDEX naive_heartbeat_terminal ON naive_heartbeat (terminal_id, ts);

-- name: days_summed
SELECT extract(day FROM summed_to - %(begin)s::timestamptz)::integer FROM uptime_summed;

-- name: fill_year
-- The days after those that were lived repeat their sums, to a year: as many rows as it would have.
INSERT INTO uptime_cell_day (at, cell_code, state, cause, us, outages)
SELECT sums.at + make_interval(days => again * %(days)s), sums.cell_code, sums.state, sums.cause,
    sums.us, sums.outages
FROM uptime_cell_day AS sums CROSS JOIN generate_series(1, 365 / %(days)s) AS again
WHERE sums.at + make_interval(days => again * %(days)s) < %(begin)s::timestamptz + interval '365 days';

-- name: summed_year
UPDATE uptime_summed SET summed_to = greatest(summed_to, %(begin)s::timestamptz + interval '365 days')
WHERE %(days)s > 0;

-- name: settle
ANALYZE;

-- name: naive_count
SELECT heartbeat.state, count(*)
FROM terminal_cell
JOIN naive_heartbeat AS heartbeat USING (terminal_id)
WHERE terminal_cell.cell_code = %(cell)s AND terminal_cell.valid @> heartbeat.ts
    AND heartbeat.ts >= %(begin)s AND heartbeat.ts < %(until)s
GROUP BY heartbeat.state;

-- name: sizes
SELECT (SELECT count(*) FROM service_interval), pg_total_relation_size('service_interval'),
    pg_total_relation_size('uptime_cell_day') + pg_total_relation_size('uptime_crossing')
        + hypertable_size('uptime_cell_hour') + hypertable_size('uptime_terminal_day'),
    (SELECT count(*) FROM naive_heartbeat), pg_total_relation_size('naive_heartbeat');
