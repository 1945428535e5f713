-- What counts, of all that is recorded, planned and said; and sums of it, made before they are asked
-- for. The sums are written by the api.

CREATE FUNCTION cell_depth_during(of_cell text, asked tstzrange)
RETURNS TABLE (code text, during tstzrange, distance integer)
LANGUAGE sql STABLE STRICT ROWS 20 SECURITY DEFINER
BEGIN ATOMIC
    WITH RECURSIVE family (code, during, distance) AS (
        SELECT of_cell, asked, 0
        UNION ALL
        SELECT cell_version.cell_code, cell_version.valid * family.during, family.distance + 1
        FROM family
        JOIN cell_version ON cell_version.parent_code = family.code
            AND cell_version.valid && family.during
    )
    SELECT family.code, family.during, family.distance FROM family;
END;
COMMENT ON FUNCTION cell_depth_during IS
    'As cell_family_during, with how far below: the tree is known by its codes to everybody';

CREATE FUNCTION claimed_interval(asked tstzrange, ids integer[])
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
    THEN
        RETURN;
    END IF;
    RETURN QUERY
    WITH chosen AS MATERIALIZED (
        SELECT terminal.id, terminal.kind FROM terminal WHERE terminal.id = ANY(ids)
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
    'What comes before what is recorded of some terminals: maintenance, then closing, then corrections';

CREATE FUNCTION effective_interval(asked tstzrange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, causes text[], period tstzrange)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    -- Planned for the values it is run with: for one terminal by index, for all by reading through.
    RETURN QUERY EXECUTE $query$
        WITH claim AS MATERIALIZED (
            SELECT * FROM claimed_interval($1, $2)
        ), taken AS MATERIALIZED (
            SELECT claim.terminal_id, range_agg(claim.period) AS periods
            FROM claim GROUP BY claim.terminal_id
        )
        SELECT claim.terminal_id, claim.state, claim.causes, claim.period FROM claim
        UNION ALL
        SELECT recorded.terminal_id, recorded.state, recorded.causes, recorded.period * $1
        FROM unnest($2) AS chosen (id)
        JOIN service_interval AS recorded ON recorded.terminal_id = chosen.id
            AND recorded.period && $1
        WHERE NOT EXISTS (
            SELECT FROM taken
            WHERE taken.terminal_id = recorded.terminal_id AND taken.periods && recorded.period)
        UNION ALL
        SELECT recorded.terminal_id, recorded.state, recorded.causes,
            unnest(tstzmultirange(recorded.period * $1) - taken.periods)
        FROM taken
        JOIN service_interval AS recorded ON recorded.terminal_id = taken.terminal_id
            AND recorded.period && $1 AND taken.periods && recorded.period
    $query$ USING asked, ids;
END
$$;
COMMENT ON FUNCTION effective_interval IS
    'The state that counts of some terminals within a time: never two at once';
