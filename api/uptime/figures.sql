-- Time in each state, outages and causes, in whole microseconds.

-- name: durations
-- For each group and bucket: with no state, how long its members belonged to it while in commission;
-- with a state, how long of that is recorded in it by the first of its causes, and how many outages
-- began in it; with the state `longest`, the longest outage. An outage is a terminal's unbroken time
-- in states that are down: it begins once, however its state or its cell changes meanwhile. What
-- counts is what `effective_interval` says: windows, schedules and corrections are in it.
WITH bucket AS (
    SELECT number, tstzrange(begin, until) AS span
    FROM unnest(%(begins)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS cut (begin, until, number)
), family AS (
    -- What is asked for, with when: all cells, one with all that was below it, or every one of a
    -- level with all that was below it, for as long as it was of that level.
    SELECT NULL AS top, cell.code, tstzrange(%(begin)s, %(until)s) AS during
    FROM cell WHERE %(cell)s::text IS NULL AND %(by)s <> 'level'
    UNION ALL
    SELECT NULL, below.code, below.during
    FROM cell_family_during(%(cell)s::text, tstzrange(%(begin)s, %(until)s)) AS below
    WHERE %(by)s <> 'level'
    UNION ALL
    SELECT version.cell_code, below.code, below.during
    FROM cell_version AS version
    CROSS JOIN LATERAL cell_family_during(
        version.cell_code, version.valid * tstzrange(%(begin)s, %(until)s)) AS below
    WHERE %(by)s = 'level' AND version.level = %(level)s
        AND version.valid && tstzrange(%(begin)s, %(until)s)
        AND (%(cell)s::text IS NULL OR version.cell_code IN (SELECT cell_family(%(cell)s)))
        AND (%(scope)s::text[] IS NULL OR version.cell_code = ANY(%(scope)s))
), piece AS MATERIALIZED (
    SELECT terminal.id, member.period, CASE %(by)s
            WHEN 'fleet' THEN 'fleet'
            WHEN 'level' THEN family.top
            WHEN 'cell' THEN terminal_cell.cell_code
            WHEN 'terminal' THEN terminal.code
            WHEN 'region' THEN terminal.region_code
            WHEN 'kind' THEN terminal.kind
            WHEN 'vendor' THEN terminal.vendor
            WHEN 'model' THEN terminal.vendor || ' ' || terminal.model
        END AS part
    FROM family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
        AND terminal_cell.valid && family.during
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    CROSS JOIN LATERAL (
        SELECT terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * family.during AS period
    ) AS member
    WHERE NOT isempty(member.period)
        AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
), lived AS (
    -- From just before the window on, so that what goes on at its beginning does not begin there.
    SELECT terminal_id, state, period, causes[1] AS cause, state = ANY(%(down)s::text[]) AS down,
        state = ANY(%(down)s::text[]) AND NOT coalesce(
            lag(state) OVER earlier = ANY(%(down)s::text[])
            AND upper(lag(period) OVER earlier) = lower(period), false) AS begins
    FROM effective_interval(
        tstzrange(%(begin)s::timestamptz - interval '1 microsecond', %(until)s),
        (SELECT array_agg(DISTINCT id) FROM piece))
    WINDOW earlier AS (PARTITION BY terminal_id ORDER BY period)
), recorded AS (
    SELECT piece.part, piece.id, lived.state, lived.cause, lived.down, bucket.number,
        lived.begins AND piece.period * bucket.span @> lower(lived.period) AS begins,
        lived.period * piece.period * bucket.span AS period
    FROM piece
    JOIN lived ON lived.terminal_id = piece.id AND lived.period && piece.period
    JOIN bucket ON bucket.span && (lived.period * piece.period)
), outage AS (
    SELECT part, number, unnest(range_agg(period)) AS period
    FROM recorded WHERE down
    GROUP BY part, number, id
)
SELECT part, number, NULL AS state, NULL AS cause, count(DISTINCT id) AS terminals, 0 AS outages,
    (extract(epoch FROM sum(upper(period * span) - lower(period * span))) * 1000000)::bigint AS us
FROM piece JOIN bucket ON bucket.span && piece.period
GROUP BY part, number
UNION ALL
SELECT part, number, state, cause, 0, count(*) FILTER (WHERE begins),
    (extract(epoch FROM sum(upper(period) - lower(period))) * 1000000)::bigint
FROM recorded
GROUP BY part, number, state, cause
UNION ALL
SELECT part, number, 'longest', NULL, 0, 0,
    (extract(epoch FROM max(upper(period) - lower(period))) * 1000000)::bigint
FROM outage
GROUP BY part, number
ORDER BY part, number;

-- name: outages
-- The outages that touch the window while their terminal was in the cell or below it, each whole,
-- the longest first.
WITH member AS MATERIALIZED (
    SELECT terminal.id, terminal.code, terminal_cell.cell_code, terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * family.during AS period
    FROM cell_family_during(%(cell)s, tstzrange(%(begin)s, %(until)s)) AS family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
        AND terminal_cell.valid && family.during
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    WHERE %(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s)
), within AS MATERIALIZED (
    SELECT terminal_id AS id, state, causes, period
    FROM effective_interval(
        tstzrange(%(begin)s, %(until)s), (SELECT array_agg(DISTINCT id) FROM member))
    WHERE state = ANY(%(down)s::text[])
), touched AS MATERIALIZED (
    SELECT DISTINCT ON (run.id, run.period) run.id, run.period, member.code, member.cell_code
    FROM (SELECT id, unnest(range_agg(period)) AS period FROM within GROUP BY id) AS run
    JOIN member ON member.id = run.id AND member.period && run.period
    ORDER BY run.id, run.period, member.period
), lived AS MATERIALIZED (
    -- What reaches out of the window is told whole, so all of its terminal is read.
    SELECT terminal_id AS id, state, causes, period
    FROM effective_interval(tstzrange(NULL, now()), (
        SELECT array_agg(DISTINCT id) FROM touched
        WHERE lower(period) = %(begin)s OR upper(period) = %(until)s))
    WHERE state = ANY(%(down)s::text[])
    UNION ALL
    SELECT within.* FROM within
    WHERE NOT EXISTS (
        SELECT FROM touched
        WHERE touched.id = within.id
            AND (lower(touched.period) = %(begin)s OR upper(touched.period) = %(until)s))
), outage AS (
    SELECT touched.code, touched.cell_code, run.*
    FROM (SELECT id, unnest(range_agg(period)) AS period FROM lived GROUP BY id) AS run
    JOIN touched ON touched.id = run.id AND touched.period <@ run.period
)
SELECT outage.code AS terminal, outage.cell_code AS cell, lower(outage.period) AS begin,
    nullif(upper(outage.period), now()) AS end,
    (extract(epoch FROM upper(outage.period) - lower(outage.period)) * 1000000)::bigint AS us,
    ARRAY(SELECT lived.state FROM lived
        WHERE lived.id = outage.id AND lived.period <@ outage.period
        ORDER BY lived.period) AS states,
    ARRAY(SELECT DISTINCT cause FROM lived CROSS JOIN unnest(lived.causes) AS cause
        WHERE lived.id = outage.id AND lived.period <@ outage.period
        ORDER BY cause) AS causes
FROM outage
ORDER BY us DESC, outage.code
LIMIT %(rows)s;
