-- Sums of uptime: made for every cell, and anew where they no longer hold.

-- name: state
SELECT zone, begins_at, summed_to, watched_to, now() AS at,
    watched_tx <= pg_snapshot_xmin(pg_current_snapshot()) AS settled
FROM uptime_summed;

-- name: first_record
SELECT min(lower(period)) FROM service_interval;

-- name: begin
INSERT INTO uptime_summed (zone, begins_at, summed_to, watched_to)
VALUES (%(zone)s, %(begin)s, %(begin)s, %(begin)s);

-- name: forget
-- All of it, to begin anew.
TRUNCATE uptime_summed, uptime_stale, uptime_cell_day, uptime_cell_hour, uptime_terminal_day,
    uptime_crossing;

-- name: watch
-- From the commit on, changes up to there are noted.
UPDATE uptime_summed SET watched_to = %(until)s, watched_tx = NULL;

-- name: settle
-- That is committed: whoever may not know it has an older transaction than the next.
UPDATE uptime_summed SET watched_tx = pg_snapshot_xmax(pg_current_snapshot());

-- name: reached
UPDATE uptime_summed SET summed_to = %(until)s;

-- name: take_stale
-- What is committed by now; whoever adds more meanwhile is seen next time.
DELETE FROM uptime_stale RETURNING cell_code, lower(span), upper(span);

-- name: drop_days
DELETE FROM uptime_cell_day
WHERE at >= %(begin)s AND at < %(until)s AND (cell_code = ANY(%(cells)s) OR cell_code = '');

-- name: drop_hours
DELETE FROM uptime_cell_hour
WHERE at >= %(begin)s AND at < %(until)s AND (cell_code = ANY(%(cells)s) OR cell_code = '');

-- name: drop_terminals
DELETE FROM uptime_terminal_day
WHERE at >= %(begin)s AND at < %(until)s AND cell_code = ANY(%(cells)s);

-- name: drop_crossings
DELETE FROM uptime_crossing
WHERE grain IN ('hour', 'day') AND at >= %(begin)s AND at < %(until)s
    AND cell_code = ANY(%(cells)s);

-- name: sum
-- The sums of the hours and days that are named, between `begin` and `until`, of some cells or all.
WITH tile AS (
    SELECT grain, begin AS at, tstzrange(begin, until) AS span
    FROM unnest(%(grains)s::text[], %(begins)s::timestamptz[], %(untils)s::timestamptz[])
        AS cut (grain, begin, until)
), piece AS MATERIALIZED (
    SELECT terminal.id, terminal_cell.cell_code, member.period
    FROM terminal_cell
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    CROSS JOIN LATERAL (
        SELECT terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * tstzrange(%(begin)s, %(until)s) AS period
    ) AS member
    WHERE NOT isempty(member.period)
        AND (%(cells)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(cells)s))
), lived AS (
    SELECT terminal_id, state, coalesce(causes[1], '') AS cause, period,
        state = ANY(%(down)s::text[]) AS down,
        state = ANY(%(down)s::text[]) AND NOT coalesce(
            lag(state) OVER earlier = ANY(%(down)s::text[])
            AND upper(lag(period) OVER earlier) = lower(period), false) AS begins
    FROM effective_interval(
        tstzrange(%(begin)s::timestamptz - interval '1 microsecond', %(until)s),
        (SELECT array_agg(DISTINCT id) FROM piece))
    WINDOW earlier AS (PARTITION BY terminal_id ORDER BY period)
), recorded AS MATERIALIZED (
    SELECT piece.id, piece.cell_code, piece.period AS member, lived.state, lived.cause, lived.down,
        CASE WHEN lived.begins THEN lower(lived.period) END AS began,
        lived.period * piece.period AS period
    FROM piece JOIN lived ON lived.terminal_id = piece.id AND lived.period && piece.period
), cut AS MATERIALIZED (
    SELECT recorded.id, recorded.cell_code, recorded.member, recorded.state, recorded.cause,
        recorded.down, tile.grain, tile.at, tile.span, recorded.period * tile.span AS period,
        (recorded.member * tile.span @> recorded.began) IS TRUE AS begins
    FROM recorded JOIN tile ON tile.span && recorded.period
), of_terminal AS (
    SELECT grain, at, cell_code, id, state, cause, count(*) FILTER (WHERE begins) AS outages,
        (extract(epoch FROM sum(upper(period) - lower(period))) * 1000000)::bigint AS us
    FROM cut
    WHERE grain = 'day'
    GROUP BY grain, at, cell_code, id, state, cause
), of_cell AS (
    SELECT grain, at, cell_code, state, cause, count(*) FILTER (WHERE begins) AS outages,
        (extract(epoch FROM sum(upper(period) - lower(period))) * 1000000)::bigint AS us
    FROM cut
    GROUP BY grain, at, cell_code, state, cause
), outage AS MATERIALIZED (
    SELECT grain, at, cell_code, id, run AS period,
        lower(run) = lower(span) OR upper(run) = upper(span)
            OR lower(run) = lower(member) OR upper(run) = upper(member) AS crosses
    FROM (
        SELECT grain, at, span, cell_code, member, id, unnest(range_agg(period)) AS run
        FROM cut WHERE down
        GROUP BY grain, at, span, cell_code, member, id
    ) AS runs
), longest AS (
    SELECT grain, at, cell_code, id,
        (extract(epoch FROM max(upper(period) - lower(period))) * 1000000)::bigint AS us
    FROM outage WHERE NOT crosses
    GROUP BY grain, at, cell_code, id
), crossings AS (
    INSERT INTO uptime_crossing (grain, at, cell_code, terminal_id, period)
    SELECT grain, at, cell_code, id, period FROM outage WHERE crosses
), terminals AS (
    INSERT INTO uptime_terminal_day (at, cell_code, terminal_id, state, cause, us, outages)
    SELECT at, cell_code, id, state, cause, us, outages FROM of_terminal
    UNION ALL
    SELECT at, cell_code, id, 'longest', '', us, 0 FROM longest WHERE grain = 'day'
), days AS (
    INSERT INTO uptime_cell_day (at, cell_code, state, cause, us, outages)
    SELECT at, cell_code, state, cause, us, outages FROM of_cell WHERE grain = 'day'
    UNION ALL
    SELECT at, cell_code, 'longest', '', max(us), 0 FROM longest WHERE grain = 'day'
    GROUP BY at, cell_code
)
INSERT INTO uptime_cell_hour (at, cell_code, state, cause, us, outages)
SELECT at, cell_code, state, cause, us, outages FROM of_cell WHERE grain = 'hour'
UNION ALL
SELECT at, cell_code, 'longest', '', max(us), 0 FROM longest WHERE grain = 'hour'
GROUP BY at, cell_code;

-- name: sum_fleet_days
INSERT INTO uptime_cell_day (at, cell_code, state, cause, us, outages)
SELECT at, '', state, cause, CASE state WHEN 'longest' THEN max(us) ELSE sum(us) END, sum(outages)
FROM uptime_cell_day
WHERE at = ANY(%(begins)s) AND cell_code <> ''
GROUP BY at, state, cause;

-- name: sum_fleet_hours
INSERT INTO uptime_cell_hour (at, cell_code, state, cause, us, outages)
SELECT at, '', state, cause, CASE state WHEN 'longest' THEN max(us) ELSE sum(us) END, sum(outages)
FROM uptime_cell_hour
WHERE at = ANY(%(begins)s) AND cell_code <> ''
GROUP BY at, state, cause;
