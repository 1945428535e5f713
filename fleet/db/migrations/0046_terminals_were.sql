-- What a terminal was is of its time: another kind or region changes none of its past.

CREATE TABLE terminal_former (
    terminal_id integer NOT NULL REFERENCES terminal (id) ON DELETE CASCADE,
    kind text NOT NULL,
    region_code text NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid) AND NOT upper_inf(valid)),
    EXCLUDE USING gist (terminal_id WITH =, valid WITH &&)
);
COMMENT ON TABLE terminal_former IS
    'What a terminal was before it became another; since the last of these it is what terminal says.';
CALL guard('terminal_former', 'EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = terminal_former.terminal_id)');
REVOKE INSERT, UPDATE, DELETE ON terminal_former FROM tellergrid_scoped, tellergrid_whole;

CREATE FUNCTION keep_terminal_former() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO terminal_former
    SELECT OLD.id, OLD.kind, OLD.region_code, tstzrange(since, map_changes_at())
    FROM (SELECT max(upper(valid)) AS since FROM terminal_former WHERE terminal_id = OLD.id) AS last
    WHERE coalesce(since < map_changes_at(), true);
    RETURN NULL;
END
$$;
CREATE TRIGGER former_kept AFTER UPDATE ON terminal
    FOR EACH ROW
    WHEN ((OLD.kind, OLD.region_code) IS DISTINCT FROM (NEW.kind, NEW.region_code))
    EXECUTE FUNCTION keep_terminal_former();

-- As it was, but for the terminals' kinds and regions.
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
        -- What each was, when.
        SELECT former.terminal_id AS id, former.kind, former.region_code,
            former.valid * asked AS during
        FROM terminal_former AS former
        WHERE former.terminal_id = ANY(ids) AND former.valid && asked
        UNION ALL
        SELECT terminal.id, terminal.kind, terminal.region_code, asked * tstzrange((
            SELECT max(upper(former.valid)) FROM terminal_former AS former
            WHERE former.terminal_id = terminal.id), NULL)
        FROM terminal WHERE terminal.id = ANY(ids)
    ), member AS MATERIALIZED (
        SELECT terminal_cell.terminal_id AS id, terminal_cell.cell_code,
            terminal_cell.valid * asked AS valid
        FROM terminal_cell
        WHERE terminal_cell.terminal_id = ANY(ids) AND terminal_cell.valid && asked
    ), about AS (
        -- Whom each window is about, when: whoever was in its cell or below it then.
        SELECT planned.id AS window_id, chosen.id, chosen.during
        FROM planned_window AS planned
        JOIN chosen ON (planned.terminal_id IS NULL OR planned.terminal_id = chosen.id)
            AND (planned.kind IS NULL OR planned.kind = chosen.kind)
        WHERE planned.purpose = 'maintenance' AND planned.cell_code IS NULL
        UNION ALL
        SELECT planned.id, chosen.id, member.valid * family.during * chosen.during
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
        FROM service_schedule_use AS used JOIN terminal AS chosen ON chosen.id = used.terminal_id
        WHERE chosen.id = ANY(ids) AND used.valid && asked
        UNION ALL
        SELECT member.id, 1 + family.distance, used.schedule_code, member.valid * family.during
        FROM service_schedule_use AS used
        CROSS JOIN LATERAL cell_depth_during(used.cell_code, used.valid * asked) AS family
        JOIN member ON member.cell_code = family.code AND member.valid && family.during
        WHERE used.valid && asked
        UNION ALL
        SELECT chosen.id, 1000000, used.schedule_code, used.valid * chosen.during
        FROM service_schedule_use AS used
        JOIN chosen ON chosen.kind = used.kind AND used.valid && chosen.during
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
        FROM service_correction AS correction
        WHERE correction.terminal_id = ANY(ids) AND correction.withdrawn_at IS NULL
            AND correction.period && asked
        UNION ALL
        SELECT chosen.id, 9223372036854775807, 'unknown', '{blind}', blind.period * chosen.during
        FROM chosen
        JOIN blind ON blind.region_code = chosen.region_code AND blind.period && chosen.during
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

-- So sums hold on, but for what is to come.
CREATE OR REPLACE FUNCTION note_commission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM mark_uptime_stale(ARRAY[NEW.id], CASE
        WHEN (OLD.commissioned_at, OLD.decommissioned_at)
            IS DISTINCT FROM (NEW.commissioned_at, NEW.decommissioned_at) THEN tstzrange(NULL, NULL)
        ELSE tstzrange(map_changes_at(), NULL) END);
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION note_blindness() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    region text := coalesce(NEW.region_code, OLD.region_code);
    span tstzrange := range_merge(coalesce(NEW.period, OLD.period), coalesce(OLD.period, NEW.period));
BEGIN
    IF NOT isempty(uptime_watched(span)) THEN
        PERFORM mark_uptime_stale(ARRAY(
            SELECT terminal.id FROM terminal WHERE terminal.region_code = region
            UNION
            SELECT former.terminal_id FROM terminal_former AS former
            WHERE former.region_code = region AND former.valid && span), span);
    END IF;
    RETURN NULL;
END
$$;
