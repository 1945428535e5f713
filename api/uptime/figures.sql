-- Time in each state, outages and causes, in whole microseconds.

-- name: durations
-- For each group and bucket: with no state, how long its members belonged to it while in commission;
-- with a state, how long of that is recorded in it by the first of its causes, and how many outages
-- began in it; with the state `longest`, the longest outage. An outage is a terminal's unbroken time
-- in states that are down: it begins once, however its state or its cell changes meanwhile.
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
    FROM service_interval
    WHERE period && tstzrange(%(begin)s::timestamptz - interval '1 microsecond', %(until)s)
        AND terminal_id IN (SELECT id FROM piece)
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
WITH RECURSIVE member AS (
    SELECT terminal.id, terminal.code, terminal_cell.cell_code, terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * family.during AS period
    FROM cell_family_during(%(cell)s, tstzrange(%(begin)s, %(until)s)) AS family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
        AND terminal_cell.valid && family.during
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    WHERE %(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s)
), touched AS (
    SELECT DISTINCT ON (member.id, service_interval.period)
        member.id, member.code, member.cell_code, service_interval.period AS met
    FROM member
    JOIN service_interval ON service_interval.terminal_id = member.id
        AND service_interval.period && member.period
    WHERE service_interval.state = ANY(%(down)s::text[])
    ORDER BY member.id, service_interval.period, member.period
), whole (id, met, period) AS (
    -- From an interval in the window to all that it is unbroken with, before and after.
    SELECT id, met, met FROM touched
    UNION
    SELECT whole.id, whole.met, other.period
    FROM whole
    JOIN service_interval AS other ON other.terminal_id = whole.id
        AND other.period -|- whole.period AND other.state = ANY(%(down)s::text[])
), merged AS (
    SELECT id, met, range_merge(range_agg(period)) AS period FROM whole GROUP BY id, met
), outage AS (
    SELECT DISTINCT ON (merged.id, merged.period)
        touched.code AS terminal, touched.cell_code AS cell, merged.id, merged.period
    FROM merged JOIN touched USING (id, met)
    ORDER BY merged.id, merged.period, merged.met
)
SELECT outage.terminal, outage.cell, lower(outage.period) AS begin, upper(outage.period) AS end,
    (extract(epoch FROM least(upper(outage.period), now())
        - lower(outage.period)) * 1000000)::bigint AS us,
    ARRAY(SELECT service_interval.state FROM service_interval
        WHERE service_interval.terminal_id = outage.id AND service_interval.period <@ outage.period
        ORDER BY service_interval.period) AS states,
    ARRAY(SELECT DISTINCT cause FROM service_interval CROSS JOIN unnest(causes) AS cause
        WHERE service_interval.terminal_id = outage.id AND service_interval.period <@ outage.period
        ORDER BY cause) AS causes
FROM outage
ORDER BY us DESC, outage.terminal
LIMIT %(rows)s;
