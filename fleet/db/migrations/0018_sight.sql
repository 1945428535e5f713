-- Who serves a region, and when nobody saw it. Written by the collector.

CREATE TABLE region_service (
    region_code text PRIMARY KEY REFERENCES region (code) ON DELETE CASCADE,
    collector text NOT NULL,
    epoch bigint NOT NULL DEFAULT 1,
    taken_at timestamptz NOT NULL DEFAULT now(),
    seen_until timestamptz
);
COMMENT ON TABLE region_service IS 'Who took each region last. Whether that one still holds it is said by the advisory lock.';
COMMENT ON COLUMN region_service.epoch IS 'Grows with each taking: a write under an older one is refused.';
COMMENT ON COLUMN region_service.seen_until IS 'Up to when everything that was said has been heard and stored; noted every other second.';

CREATE TABLE blindness (
    region_code text NOT NULL REFERENCES region (code) ON DELETE CASCADE,
    period tstzrange NOT NULL CHECK (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
    cause text NOT NULL CHECK (cause IN ('collector', 'broker', 'database', 'backlog')),
    EXCLUDE USING gist (region_code WITH =, period WITH &&)
);
COMMENT ON TABLE blindness IS 'Our own outages: no terminal of the region is called silent for them, and its state in them is unknown.';
COMMENT ON COLUMN blindness.cause IS 'What was away first; backlog: connected, and behind what was said.';

CREATE VIEW blind WITH (security_invoker = true) AS
SELECT region_code, period, cause FROM blindness
UNION ALL
SELECT region_code, tstzrange(seen_until, NULL), NULL
FROM region_service
WHERE seen_until < now() - interval '10 seconds';
COMMENT ON VIEW blind IS 'All blindness, the one that lasts included: its end is open and its cause not known yet.';

CREATE VIEW unseen WITH (security_invoker = true) AS
SELECT region_code, 'unknown'::text AS state FROM blind WHERE upper_inf(period);
COMMENT ON VIEW unseen IS 'The regions that nobody sees now: their terminals'' state is unknown.';

-- Callers read them and write nothing here.
REVOKE INSERT, UPDATE, DELETE ON region_service, blindness, blind, unseen
    FROM tellergrid_scoped, tellergrid_whole;

-- What counts, once more, with our blindness behind what was corrected by hand.
CREATE OR REPLACE FUNCTION claimed_interval(asked tstzrange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, causes text[], period tstzrange)
LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM planned_occurrence AS occurrence
        JOIN planned_window AS planned ON planned.id = occurrence.window_id
        WHERE occurrence.period && asked AND planned.purpose = 'maintenance')
        AND NOT EXISTS (SELECT FROM service_schedule_use AS used WHERE used.valid && asked)
        AND NOT EXISTS (
            SELECT FROM service_correction AS correction
            WHERE correction.withdrawn_at IS NULL AND correction.period && asked)
        AND NOT EXISTS (SELECT FROM blind WHERE blind.period && asked)
    THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH chosen AS MATERIALIZED (
        SELECT terminal.id, terminal.kind, terminal.region_code FROM terminal WHERE terminal.id = ANY(ids)
    ), member AS MATERIALIZED (
        SELECT terminal_cell.terminal_id AS id, terminal_cell.cell_code,
            terminal_cell.valid * asked AS valid
        FROM terminal_cell JOIN chosen ON chosen.id = terminal_cell.terminal_id
        WHERE terminal_cell.valid && asked
    ), about AS (
        -- Whom each window is about, when: whoever was in its cell or below it then.
        SELECT planned.id AS window_id, chosen.id, asked AS during
        FROM planned_window AS planned
        JOIN chosen ON (planned.terminal_id IS NULL OR planned.terminal_id = chosen.id)
            AND (planned.kind IS NULL OR planned.kind = chosen.kind)
        WHERE planned.purpose = 'maintenance' AND planned.cell_code IS NULL
        UNION ALL
        SELECT planned.id, chosen.id, member.valid * family.during
        FROM planned_window AS planned
        CROSS JOIN LATERAL cell_family_during(planned.cell_code, asked) AS family
        JOIN member ON member.cell_code = family.code AND member.valid && family.during
        JOIN chosen ON chosen.id = member.id
            AND (planned.terminal_id IS NULL OR planned.terminal_id = chosen.id)
            AND (planned.kind IS NULL OR planned.kind = chosen.kind)
        WHERE planned.purpose = 'maintenance' AND planned.cell_code IS NOT NULL
            AND EXISTS (
                SELECT FROM planned_occurrence AS occurrence
                WHERE occurrence.window_id = planned.id AND occurrence.period && asked)
    ), served AS (
        -- Whom each schedule may be of, when; the lower rank comes first.
        SELECT chosen.id, 0 AS rank, used.schedule_code, used.valid * asked AS during
        FROM service_schedule_use AS used JOIN chosen ON chosen.id = used.terminal_id
        WHERE used.valid && asked
        UNION ALL
        SELECT member.id, 1 + family.distance, used.schedule_code, member.valid * family.during
        FROM service_schedule_use AS used
        CROSS JOIN LATERAL cell_depth_during(used.cell_code, used.valid * asked) AS family
        JOIN member ON member.cell_code = family.code AND member.valid && family.during
        WHERE used.valid && asked
        UNION ALL
        SELECT chosen.id, 1000000, used.schedule_code, used.valid * asked
        FROM service_schedule_use AS used JOIN chosen ON chosen.kind = used.kind
        WHERE used.valid && asked
    ), serving AS (
        SELECT served.id, served.schedule_code,
            tstzmultirange(served.during) - coalesce(range_agg(served.during) OVER (
                PARTITION BY served.id ORDER BY served.rank
                RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '{}') AS during
        FROM served
    ), claim AS (
        -- In order of precedence: the latest correction before the others.
        SELECT about.id, 0::bigint AS rank, 'planned_maintenance' AS state, '{}'::text[] AS causes,
            occurrence.period * about.during AS period
        FROM about
        JOIN planned_occurrence AS occurrence ON occurrence.window_id = about.window_id
            AND occurrence.period && about.during
        UNION ALL
        SELECT serving.id, 1, 'out_of_schedule', '{}', closing.period * span
        FROM serving CROSS JOIN LATERAL unnest(serving.during) AS span
        JOIN service_closing AS closing ON closing.schedule_code = serving.schedule_code
            AND closing.period && span
        UNION ALL
        SELECT correction.terminal_id, 9223372036854775807 - correction.id, correction.state,
            '{correction}', correction.period * asked
        FROM service_correction AS correction JOIN chosen ON chosen.id = correction.terminal_id
        WHERE correction.withdrawn_at IS NULL AND correction.period && asked
        UNION ALL
        SELECT chosen.id, 9223372036854775807, 'unknown', '{blind}', blind.period * asked
        FROM chosen JOIN blind ON blind.region_code = chosen.region_code AND blind.period && asked
    ), each AS (
        SELECT claim.id, claim.rank, claim.state, claim.causes, range_agg(claim.period) AS periods
        FROM claim GROUP BY claim.id, claim.rank, claim.state, claim.causes
    ), won AS (
        SELECT each.id, each.state, each.causes,
            each.periods - coalesce(range_agg(each.periods) OVER (
                PARTITION BY each.id ORDER BY each.rank
                ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), '{}') AS periods
        FROM each
    )
    SELECT won.id, won.state, won.causes, unnest(won.periods) FROM won;
END
$$;
COMMENT ON FUNCTION claimed_interval IS
    'What comes before what is recorded of some terminals: maintenance, closing, corrections, our blindness';
