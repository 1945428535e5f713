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
-- The sums of the hours between `edges`, and of the day from `begin` to `until` when it is `whole`,
-- of some cells or all. Nothing is cut hour by hour that lies over many: it is in its first hour and
-- in its last one with a part, and what opened before an hour and did not close lies over all of it.
WITH piece AS MATERIALIZED (
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
        lived.begins AND lower(lived.period) >= lower(piece.period) AS begins,
        greatest(lower(lived.period), lower(piece.period)) AS since,
        least(upper(lived.period), upper(piece.period)) AS till
    FROM piece JOIN lived ON lived.terminal_id = piece.id AND lived.period && piece.period
), of_terminal AS MATERIALIZED (
    SELECT cell_code, id, state, cause, count(*) FILTER (WHERE begins) AS outages,
        (extract(epoch FROM sum(till - since)) * 1000000)::bigint AS us
    FROM recorded
    WHERE %(whole)s
    GROUP BY cell_code, id, state, cause
), placed AS (
    SELECT cell_code, state, cause, begins AND since >= edges[1] AS begins,
        greatest(since, edges[1]) AS since, till, edges,
        greatest(width_bucket(since, edges), 1) AS first,
        width_bucket(till - interval '1 microsecond', edges) AS last
    FROM recorded CROSS JOIN (SELECT %(edges)s::timestamptz[] AS edges) AS hours
    WHERE till > edges[1]
), partly AS MATERIALIZED (
    SELECT cell_code, state, cause, hour, sum(outages) AS outages,
        (extract(epoch FROM sum(part)) * 1000000)::bigint AS us,
        sum(opens) AS opens, sum(closes) AS closes,
        sum(sum(opens)) OVER (PARTITION BY cell_code, state, cause) > 0 AS spreads
    FROM (
        SELECT cell_code, state, cause, first AS hour, begins::integer AS outages,
            least(till, edges[first + 1]) - since AS part,
            (first < last)::integer AS opens, 0 AS closes
        FROM placed
        UNION ALL
        SELECT cell_code, state, cause, last, 0, till - edges[last], 0, 1
        FROM placed WHERE first < last
    ) AS ends
    GROUP BY cell_code, state, cause, hour
), of_hour AS (
    SELECT hour.at, hour.length, spread.cell_code, spread.state, spread.cause,
        coalesce(partly.outages, 0) AS outages, coalesce(partly.us, 0) AS us,
        coalesce(sum(partly.opens) OVER before, 0)
            - coalesce(sum(partly.closes) OVER till, 0) AS over
    FROM (SELECT DISTINCT cell_code, state, cause FROM partly WHERE spreads) AS spread
    CROSS JOIN (
        SELECT number, at,
            (extract(epoch FROM lead(at) OVER (ORDER BY at) - at) * 1000000)::bigint AS length
        FROM unnest(%(edges)s::timestamptz[]) WITH ORDINALITY AS edge (at, number)
    ) AS hour
    LEFT JOIN partly ON partly.cell_code = spread.cell_code AND partly.state = spread.state
        AND partly.cause = spread.cause AND partly.hour = hour.number
    WHERE hour.length IS NOT NULL
    WINDOW till AS (PARTITION BY spread.cell_code, spread.state, spread.cause ORDER BY hour.number),
        before AS (PARTITION BY spread.cell_code, spread.state, spread.cause ORDER BY hour.number
            ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
), run AS MATERIALIZED (
    SELECT cell_code, member, id, unnest(range_agg(tstzrange(since, till))) AS period
    FROM recorded WHERE down
    GROUP BY cell_code, member, id
), outage AS MATERIALIZED (
    SELECT grain, at, cell_code, id, period,
        lower(period) = lower(span) OR upper(period) = upper(span)
            OR lower(period) = lower(member) OR upper(period) = upper(member) AS crosses
    FROM (
        SELECT 'day' AS grain, lower(day.span) AS at, day.span, run.cell_code, run.member, run.id,
            run.period
        FROM run CROSS JOIN (SELECT tstzrange(%(begin)s, %(until)s) AS span) AS day
        WHERE %(whole)s
        UNION ALL
        SELECT 'hour', lower(hour.span), hour.span, run.cell_code, run.member, run.id,
            run.period * hour.span
        FROM run
        CROSS JOIN (SELECT %(edges)s::timestamptz[] AS edges) AS hours
        CROSS JOIN LATERAL generate_series(
            greatest(width_bucket(lower(run.period), edges), 1),
            width_bucket(upper(run.period) - interval '1 microsecond', edges)) AS number
        CROSS JOIN LATERAL (SELECT tstzrange(edges[number], edges[number + 1]) AS span) AS hour
    ) AS cut
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
    SELECT %(begin)s::timestamptz, cell_code, id, state, cause, us, outages FROM of_terminal
    UNION ALL
    SELECT at, cell_code, id, 'longest', '', us, 0 FROM longest WHERE grain = 'day'
    ORDER BY 2, 3, 4, 5  -- as the key has them: each page of it is met once
), days AS (
    INSERT INTO uptime_cell_day (at, cell_code, state, cause, us, outages)
    SELECT %(begin)s::timestamptz, cell_code, state, cause, sum(us), sum(outages) FROM of_terminal
    GROUP BY cell_code, state, cause
    UNION ALL
    SELECT at, cell_code, 'longest', '', max(us), 0 FROM longest WHERE grain = 'day'
    GROUP BY at, cell_code
)
INSERT INTO uptime_cell_hour (at, cell_code, state, cause, us, outages)
SELECT at, cell_code, state, cause, us + over * length, outages
FROM of_hour WHERE us + over * length > 0
UNION ALL
SELECT (%(edges)s::timestamptz[])[partly.hour], cell_code, state, cause, us, outages
FROM partly WHERE NOT spreads
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
