-- Less work for what is asked all day: a cell's uptime, a caller's tree.

-- As it was, in a language whose plans are kept from call to call: it was planned anew each time,
-- which took longer than to run it.
CREATE OR REPLACE FUNCTION cell_family_during(of_cell text, asked tstzrange)
RETURNS TABLE (code text, during tstzrange)
LANGUAGE plpgsql STABLE STRICT ROWS 20 SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    RETURN QUERY
    WITH RECURSIVE family (code, during) AS (
        SELECT of_cell, asked
        UNION ALL
        SELECT cell_version.cell_code, cell_version.valid * family.during
        FROM family
        JOIN cell_version ON cell_version.parent_code = family.code
            AND cell_version.valid && family.during
    )
    SELECT family.code, family.during FROM family;
END
$$;

-- As it was, but for the case of nearly always once more. Most terminals have been in one state since
-- before the time that is asked about, and then there is nothing else to find: what goes on is found
-- in a small index, and only of the others is what is over looked for.
CREATE OR REPLACE FUNCTION effective_interval(asked tstzrange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, causes text[], period tstzrange)
LANGUAGE plpgsql STABLE ROWS 1000 AS $$
BEGIN
    IF cardinality(ids) > 1000
        OR EXISTS (
            SELECT FROM planned_occurrence AS occurrence
            JOIN planned_window AS planned ON planned.id = occurrence.window_id
            WHERE occurrence.period && asked AND planned.purpose = 'maintenance')
        OR EXISTS (SELECT FROM service_schedule_use AS used WHERE used.valid && asked)
        OR EXISTS (
            SELECT FROM service_correction AS correction
            WHERE correction.withdrawn_at IS NULL AND correction.period && asked)
        OR EXISTS (SELECT FROM blind WHERE blind.period && asked)
    THEN
        RETURN QUERY SELECT * FROM planned_effective_interval(asked, ids);
    ELSE
        RETURN QUERY
        WITH going_on AS MATERIALIZED (
            SELECT chosen.id, lasting.state, lasting.causes, lasting.period
            FROM unnest(ids) AS chosen (id)
            LEFT JOIN service_interval AS lasting ON lasting.terminal_id = chosen.id
                AND upper_inf(lasting.period)
        )
        SELECT going_on.id, going_on.state, going_on.causes, going_on.period * asked
        FROM going_on
        WHERE going_on.period && asked
        UNION ALL
        SELECT recorded.terminal_id, recorded.state, recorded.causes, recorded.period * asked
        FROM going_on
        JOIN service_interval AS recorded ON recorded.terminal_id = going_on.id
            AND recorded.period && asked AND NOT upper_inf(recorded.period)
        WHERE NOT coalesce(lower(going_on.period) <= lower(asked), false);
    END IF;
END
$$;
