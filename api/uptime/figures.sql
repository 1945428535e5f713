-- Time in each state, outages and causes, in whole microseconds.

-- name: summed
-- From and to when there are sums, and in whose hours and days; of terminals, if asked.
SELECT CASE WHEN %(terminals)s THEN greatest(begins_at, terminals_from) ELSE begins_at END,
    summed_to, zone, greatest(begins_at, hours_from)
FROM uptime_summed
WHERE begins_at < summed_to;

-- name: parts
-- How many parts there can be in a bucket, where it may be thousands; null where they are few.
WITH within AS (
    SELECT cell.code FROM cell
    WHERE %(cell)s::text IS NULL AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
    UNION
    SELECT code FROM cell_family_during(%(cell)s::text, tstzrange(%(begin)s, %(until)s))
    WHERE %(scope)s::text[] IS NULL OR code = ANY(%(scope)s)
)
SELECT CASE %(by)s
    WHEN 'terminal' THEN (
        SELECT count(DISTINCT terminal_id)
        FROM terminal_cell JOIN within ON within.code = terminal_cell.cell_code
        WHERE terminal_cell.valid && tstzrange(%(begin)s, %(until)s))
    WHEN 'cell' THEN (
        SELECT count(DISTINCT terminal_cell.cell_code)
        FROM terminal_cell JOIN within ON within.code = terminal_cell.cell_code
        WHERE terminal_cell.valid && tstzrange(%(begin)s, %(until)s))
    WHEN 'level' THEN (
        SELECT count(DISTINCT version.cell_code)
        FROM cell_version AS version JOIN within ON within.code = version.cell_code
        WHERE version.level = %(level)s AND version.valid && tstzrange(%(begin)s, %(until)s))
END;

-- name: durations
-- For each group and bucket: with no state, how long its members belonged to it while in commission;
-- with a state, how long of that is recorded in it by the first of its causes, and how many outages
-- began in it; with the state `longest`, the longest outage. An outage is a terminal's unbroken time
-- in states that are down: it begins once, however its state or its cell changes meanwhile. What
-- counts is what `effective_interval` says: windows, schedules and corrections are in it.
--
-- Tiles are what each bucket is put together from: days and hours from their sums, where these hold
-- for a cell that was in the group all the while, the rest from the intervals.
WITH bucket AS (
    SELECT number, tstzrange(begin, until) AS span
    FROM unnest(%(begins)s::timestamptz[], %(untils)s::timestamptz[])
        WITH ORDINALITY AS cut (begin, until, number)
), tile AS MATERIALIZED (
    SELECT number, grain, begin AS at, tstzrange(begin, until) AS span
    FROM unnest(%(tile_numbers)s::integer[], %(tile_grains)s::text[],
        %(tile_begins)s::timestamptz[], %(tile_untils)s::timestamptz[])
        AS cut (number, grain, begin, until)
), family AS MATERIALIZED (
    -- What is asked for, with when: all cells, one with all that was below it, or every one of a
    -- level with all that was below it, for as long as it was of that level and below what is asked.
    SELECT NULL AS top, cell.code, tstzrange(%(begin)s, %(until)s) AS during
    FROM cell WHERE %(cell)s::text IS NULL AND %(by)s <> 'level'
    UNION ALL
    SELECT NULL, below.code, below.during
    FROM cell_family_during(%(cell)s::text, tstzrange(%(begin)s, %(until)s)) AS below
    WHERE %(by)s <> 'level'
    UNION ALL
    SELECT version.cell_code, below.code, below.during
    FROM cell_version AS version
    JOIN (
        SELECT cell.code, tstzrange(%(begin)s, %(until)s) AS during
        FROM cell WHERE %(cell)s::text IS NULL
        UNION ALL
        SELECT code, during
        FROM cell_family_during(%(cell)s::text, tstzrange(%(begin)s, %(until)s))
    ) AS within ON within.code = version.cell_code AND within.during && version.valid
    CROSS JOIN LATERAL cell_family_during(
        version.cell_code, version.valid * within.during) AS below
    WHERE %(by)s = 'level' AND version.level = %(level)s
        AND (%(scope)s::text[] IS NULL OR version.cell_code = ANY(%(scope)s))
), piece AS MATERIALIZED (
    SELECT terminal.id, terminal_cell.cell_code, family.top, member.period, CASE %(by)s
            WHEN 'fleet' THEN 'fleet'
            WHEN 'level' THEN family.top
            WHEN 'cell' THEN terminal_cell.cell_code
            WHEN 'terminal' THEN terminal.code
            WHEN 'region' THEN terminal.region_code
            WHEN 'kind' THEN terminal.kind
            WHEN 'vendor' THEN terminal.vendor
            WHEN 'model' THEN terminal.vendor || ' ' || terminal.model
        END AS part
    -- That they overlap is asked below, of what is left of the membership: asked of `valid` itself,
    -- the planner takes overlaps for rare and reads the memberships of the whole fleet.
    FROM family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    CROSS JOIN LATERAL (
        SELECT terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * family.during AS period
    ) AS member
    WHERE NOT isempty(member.period)
        AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
), of_fleet AS MATERIALIZED (
    -- Tiles that the sums of the whole fleet answer.
    SELECT * FROM tile
    WHERE %(by)s = 'fleet' AND %(cell)s::text IS NULL AND %(scope)s::text[] IS NULL
        AND grain <> 'raw'
        AND NOT EXISTS (SELECT FROM uptime_stale WHERE uptime_stale.span && tile.span)
), rest AS MATERIALIZED (
    SELECT * FROM tile
    WHERE NOT EXISTS (
        SELECT FROM of_fleet WHERE of_fleet.grain = tile.grain AND of_fleet.at = tile.at)
), needed AS MATERIALIZED (
    SELECT family.top, family.code, tile.number, tile.grain, tile.at, tile.span * family.during AS span,
        tile.grain <> 'raw' AND family.during @> tile.span AND NOT EXISTS (
            SELECT FROM uptime_stale
            WHERE uptime_stale.cell_code = family.code AND uptime_stale.span && tile.span) AS summed
    FROM rest AS tile JOIN family ON family.during && tile.span
    WHERE %(scope)s::text[] IS NULL OR family.code = ANY(%(scope)s)
), raw AS MATERIALIZED (
    SELECT piece.id, piece.part, needed.number, needed.span, piece.period * needed.span AS period
    FROM needed
    JOIN piece ON piece.cell_code = needed.code AND piece.top IS NOT DISTINCT FROM needed.top
        AND piece.period && needed.span
    WHERE NOT needed.summed
), lived AS (
    -- From just before on, so that what goes on at the beginning does not begin there.
    SELECT asked.span, counts.terminal_id, counts.state, counts.period, counts.causes[1] AS cause,
        counts.state = ANY(%(down)s::text[]) AS down,
        counts.state = ANY(%(down)s::text[]) AND NOT coalesce(
            lag(counts.state) OVER earlier = ANY(%(down)s::text[])
            AND upper(lag(counts.period) OVER earlier) = lower(counts.period), false) AS begins
    FROM (SELECT span, array_agg(DISTINCT id) AS ids FROM raw GROUP BY span) AS asked
    CROSS JOIN LATERAL effective_interval(
        tstzrange(lower(asked.span) - interval '1 microsecond', upper(asked.span)), asked.ids
    ) AS counts
    WINDOW earlier AS (PARTITION BY asked.span, counts.terminal_id ORDER BY counts.period)
), recorded AS MATERIALIZED (
    SELECT raw.part, raw.id, raw.number, lived.state, lived.cause, lived.down,
        lived.begins AND raw.period @> lower(lived.period) AS begins,
        lived.period * raw.period AS period
    FROM raw
    JOIN lived ON lived.span = raw.span AND lived.terminal_id = raw.id
        AND lived.period && raw.period
), kept AS (
    SELECT 'fleet' AS part, of_fleet.number, sums.state, sums.cause, sums.outages, sums.us
    FROM of_fleet JOIN uptime_cell_day AS sums ON sums.cell_code = '' AND sums.at = of_fleet.at
    WHERE of_fleet.grain = 'day'
    UNION ALL
    SELECT 'fleet', of_fleet.number, sums.state, sums.cause, sums.outages, sums.us
    FROM of_fleet JOIN uptime_cell_hour AS sums ON sums.cell_code = '' AND sums.at = of_fleet.at
    WHERE of_fleet.grain = 'hour'
    UNION ALL
    SELECT CASE %(by)s WHEN 'fleet' THEN 'fleet' WHEN 'level' THEN needed.top ELSE needed.code END,
        needed.number, sums.state, sums.cause, sums.outages, sums.us
    FROM needed
    JOIN uptime_cell_day AS sums ON sums.cell_code = needed.code AND sums.at = needed.at
    WHERE needed.summed AND needed.grain = 'day' AND %(by)s IN ('fleet', 'level', 'cell')
    UNION ALL
    SELECT CASE %(by)s WHEN 'fleet' THEN 'fleet' WHEN 'level' THEN needed.top ELSE needed.code END,
        needed.number, sums.state, sums.cause, sums.outages, sums.us
    FROM needed
    JOIN uptime_cell_hour AS sums ON sums.cell_code = needed.code AND sums.at = needed.at
    WHERE needed.summed AND needed.grain = 'hour' AND %(by)s IN ('fleet', 'level', 'cell')
    UNION ALL
    SELECT CASE %(by)s
            WHEN 'terminal' THEN terminal.code
            WHEN 'region' THEN terminal.region_code
            WHEN 'kind' THEN terminal.kind
            WHEN 'vendor' THEN terminal.vendor
            ELSE terminal.vendor || ' ' || terminal.model
        END, needed.number, sums.state, sums.cause, sums.outages, sums.us
    FROM needed
    JOIN uptime_terminal_day AS sums ON sums.cell_code = needed.code AND sums.at = needed.at
    JOIN terminal ON terminal.id = sums.terminal_id
    WHERE needed.summed AND needed.grain = 'day' AND %(by)s NOT IN ('fleet', 'level', 'cell')
), crossing AS (
    -- Outages that may go on in the next tile, by terminal: looked up tile by tile (OFFSET 0), for
    -- of a long time there are many more than are asked for.
    SELECT part, number, id, period FROM recorded WHERE down
    UNION ALL
    SELECT 'fleet', of_fleet.number, piece.terminal_id, piece.period
    FROM of_fleet CROSS JOIN LATERAL (
        SELECT * FROM uptime_crossing
        WHERE uptime_crossing.grain = of_fleet.grain AND uptime_crossing.at = of_fleet.at
        OFFSET 0) AS piece
    UNION ALL
    SELECT CASE %(by)s
            WHEN 'fleet' THEN 'fleet'
            WHEN 'level' THEN needed.top
            WHEN 'cell' THEN needed.code
            WHEN 'terminal' THEN terminal.code
            WHEN 'region' THEN terminal.region_code
            WHEN 'kind' THEN terminal.kind
            WHEN 'vendor' THEN terminal.vendor
            ELSE terminal.vendor || ' ' || terminal.model
        END, needed.number, piece.terminal_id, piece.period
    FROM needed CROSS JOIN LATERAL (
        SELECT * FROM uptime_crossing
        WHERE uptime_crossing.grain = needed.grain AND uptime_crossing.at = needed.at
            AND uptime_crossing.cell_code = needed.code
        OFFSET 0) AS piece
    JOIN terminal ON terminal.id = piece.terminal_id
    WHERE needed.summed
), longest AS (
    SELECT part, number, max(upper(period) - lower(period)) AS length
    FROM (
        SELECT part, number, id, unnest(range_agg(period)) AS period
        FROM crossing GROUP BY part, number, id
    ) AS outage
    GROUP BY part, number
), throughout AS (
    SELECT part, count(*) AS terminals FROM piece
    WHERE period @> tstzrange(%(begin)s, %(until)s) GROUP BY part
), passing AS MATERIALIZED (
    SELECT part, id, period FROM piece WHERE NOT period @> tstzrange(%(begin)s, %(until)s)
), member AS (
    SELECT throughout.part, bucket.number, throughout.terminals,
        throughout.terminals * (upper(bucket.span) - lower(bucket.span)) AS length
    FROM throughout CROSS JOIN bucket
    UNION ALL
    SELECT part, number, count(DISTINCT id), sum(upper(period * span) - lower(period * span))
    FROM passing JOIN bucket ON bucket.span && passing.period
    GROUP BY part, number
)
SELECT part, number, NULL AS state, NULL AS cause, sum(terminals)::integer AS terminals,
    0 AS outages, (extract(epoch FROM sum(length)) * 1000000)::bigint AS us
FROM member
GROUP BY part, number
UNION ALL
SELECT part, number, state, nullif(cause, ''), 0, sum(outages)::integer, sum(us)::bigint
FROM (
    SELECT part, number, state, cause, outages, us FROM kept WHERE state <> 'longest'
    UNION ALL
    SELECT part, number, state, coalesce(cause, ''), count(*) FILTER (WHERE begins),
        (extract(epoch FROM sum(upper(period) - lower(period))) * 1000000)::bigint
    FROM recorded GROUP BY part, number, state, cause
) AS sums
GROUP BY part, number, state, cause
UNION ALL
SELECT part, number, 'longest', NULL, 0, 0, max(us)
FROM (
    SELECT part, number, us FROM kept WHERE state = 'longest'
    UNION ALL
    SELECT part, number, (extract(epoch FROM length) * 1000000)::bigint FROM longest
) AS outage
GROUP BY part, number
ORDER BY part, number;

-- name: outages
-- The outages that touch the window while their terminal was in the cell or below it, each whole, as
-- far as it was in commission: what is recorded of one that is gone goes on. The longest first.
WITH member AS MATERIALIZED (
    SELECT terminal.id, terminal.code, terminal_cell.cell_code, in_commission,
        terminal_cell.valid * in_commission * family.during AS period
    FROM cell_family_during(%(cell)s, tstzrange(%(begin)s, %(until)s)) AS family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
        AND terminal_cell.valid && family.during
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    CROSS JOIN LATERAL (
        SELECT tstzrange(terminal.commissioned_at, terminal.decommissioned_at) AS in_commission
    ) AS served
    WHERE %(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s)
), commission AS MATERIALIZED (
    SELECT DISTINCT id, in_commission FROM member
), within AS MATERIALIZED (
    SELECT id, state, causes, period * in_commission AS period
    FROM effective_interval(
        tstzrange(%(begin)s, %(until)s), (SELECT array_agg(id) FROM commission))
    JOIN commission ON id = terminal_id AND in_commission && period
    WHERE state = ANY(%(down)s::text[])
), touched AS MATERIALIZED (
    SELECT DISTINCT ON (run.id, run.period) run.id, run.period, member.code, member.cell_code
    FROM (SELECT id, unnest(range_agg(period)) AS period FROM within GROUP BY id) AS run
    JOIN member ON member.id = run.id AND member.period && run.period
    ORDER BY run.id, run.period, member.period
), reaching AS MATERIALIZED (
    -- What reaches out of the window is told whole: its terminal is read from where it worked before
    -- till where it works again.
    SELECT terminal_id AS id, since, till
    FROM worked_around(tstzrange(%(begin)s, %(until)s), (
        SELECT array_agg(DISTINCT id) FROM touched
        WHERE lower(period) = %(begin)s OR upper(period) = %(until)s), %(down)s::text[])
), lived AS MATERIALIZED (
    -- Those together that went down in one month: what one of them lived through of late is little.
    SELECT commission.id, counts.state, counts.causes, counts.period * in_commission AS period
    FROM (
        SELECT array_agg(id) AS ids, tstzrange(min(since), max(till)) AS span
        FROM reaching
        GROUP BY date_trunc('month', since), date_trunc('month', till)
    ) AS alike
    CROSS JOIN LATERAL effective_interval(alike.span, alike.ids) AS counts
    JOIN commission ON commission.id = counts.terminal_id AND in_commission && counts.period
    WHERE counts.state = ANY(%(down)s::text[])
    UNION ALL
    SELECT within.* FROM within
    WHERE NOT EXISTS (SELECT FROM reaching WHERE reaching.id = within.id)
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

-- name: of_cell
-- How long the members of a cell and of all below it were in each state over one window, and with no
-- state how long they belonged to it: `durations` without outages and causes, for one cell, and so
-- simple that it is planned once for all. Times are bare instants: arithmetic with ranges costs more
-- than all the rest, for a cell has a hundred members.
-- With no state too: whether the cell is there to be asked about, and what `summed` says of cells, if
-- there are sums. Where that is not what the tiles were laid by, the rest is to be asked for anew.
WITH tile AS MATERIALIZED (
    SELECT grain, begin, until, tstzrange(begin, until) AS span
    FROM unnest(%(tile_grains)s::text[], %(tile_begins)s::timestamptz[],
        %(tile_untils)s::timestamptz[]) AS cut (grain, begin, until)
), family AS MATERIALIZED (
    SELECT code, lower(during) AS since, upper(during) AS till
    FROM cell_family_during(%(cell)s::text, tstzrange(%(begin)s, %(until)s))
    WHERE (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s))
), piece AS MATERIALIZED (
    SELECT id, cell_code, since, till
    FROM (
        SELECT terminal.id, terminal_cell.cell_code,
            greatest(family.since, lower(terminal_cell.valid), terminal.commissioned_at) AS since,
            least(family.till, upper(terminal_cell.valid), terminal.decommissioned_at) AS till
        FROM family
        JOIN terminal_cell ON terminal_cell.cell_code = family.code
        JOIN terminal ON terminal.id = terminal_cell.terminal_id
    ) AS member
    WHERE since < till
), needed AS MATERIALIZED (
    SELECT family.code, tile.grain, tile.begin AS at,
        greatest(tile.begin, family.since) AS since, least(tile.until, family.till) AS till,
        tile.grain <> 'raw' AND family.since <= tile.begin AND family.till >= tile.until
        AND NOT EXISTS (
            SELECT FROM uptime_stale
            WHERE uptime_stale.cell_code = family.code AND uptime_stale.span && tile.span) AS summed
    FROM tile JOIN family ON family.since < tile.until AND family.till > tile.begin
), raw AS MATERIALIZED (
    SELECT piece.id, greatest(piece.since, needed.since) AS since,
        least(piece.till, needed.till) AS till
    FROM needed
    JOIN piece ON piece.cell_code = needed.code
        AND piece.since < needed.till AND piece.till > needed.since
    WHERE NOT needed.summed
), recorded AS (
    SELECT counts.state,
        least(counts.until, raw.till) - greatest(counts.since, raw.since) AS length
    FROM effective_parts(
        (SELECT range_agg(tstzrange(since, till)) FROM needed WHERE NOT summed),
        (SELECT array_agg(DISTINCT id) FROM raw)) AS counts
    JOIN raw ON raw.id = counts.terminal_id
        AND raw.since < counts.until AND raw.till > counts.since
)
SELECT NULL AS state, whole.terminals, whole.us, EXISTS (
        SELECT FROM cell
        WHERE code = %(cell)s AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s))) AS there,
    begins_at, summed_to, zone, greatest(begins_at, hours_from) AS hours_from
FROM (
    SELECT count(DISTINCT id)::integer AS terminals,
        coalesce((extract(epoch FROM sum(till - since)) * 1000000)::bigint, 0) AS us
    FROM piece
) AS whole
LEFT JOIN uptime_summed ON begins_at < summed_to
UNION ALL
SELECT state, 0, sum(us)::bigint, NULL, NULL, NULL, NULL, NULL
FROM (
    SELECT sums.state, sums.us
    FROM needed
    JOIN uptime_cell_day AS sums ON sums.cell_code = needed.code AND sums.at = needed.at
    WHERE needed.summed AND needed.grain = 'day' AND sums.state <> 'longest'
    UNION ALL
    SELECT sums.state, sums.us
    FROM needed
    JOIN uptime_cell_hour AS sums ON sums.cell_code = needed.code AND sums.at = needed.at
    WHERE needed.summed AND needed.grain = 'hour' AND sums.state <> 'longest'
    UNION ALL
    SELECT state, (extract(epoch FROM sum(length)) * 1000000)::bigint
    FROM recorded GROUP BY state
) AS known
GROUP BY state;
