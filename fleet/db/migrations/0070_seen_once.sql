-- Of which terminals a caller sees the past is found out once a question, not once for each interval that
-- was ever recorded: under row-level security no index of times is used, for what compares ranges might
-- tell of rows that are not to be seen, and so a technician's uptime took longer with every year.

CREATE FUNCTION seen_terminals(ids integer[]) RETURNS integer[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp
RETURN CASE WHEN (
    -- Whoever calls, in whatever role, as the owner of the tables or with the rights of one who sees all.
    SELECT pg_has_role(caller.name, current_user, 'USAGE')
        OR pg_has_role(caller.name, 'tellergrid_whole', 'USAGE')
    FROM (SELECT coalesce(nullif(current_setting('role'), 'none'), session_user)) AS caller (name)
) THEN ids ELSE ARRAY(
    SELECT DISTINCT terminal_cell.terminal_id
    FROM terminal_cell
    WHERE terminal_cell.terminal_id = ANY(ids) AND terminal_cell.cell_code = ANY(scope_cells())) END;
COMMENT ON FUNCTION seen_terminals IS
    'Those of some terminals that were ever in a cell that the caller sees, as the policies of tables have it';

ALTER FUNCTION effective_interval(tstzrange, integer[]) RENAME TO whole_effective_interval;
CREATE FUNCTION effective_interval(asked tstzrange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, causes text[], period tstzrange)
LANGUAGE plpgsql STABLE ROWS 1000 SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM whole_effective_interval(asked, seen_terminals(ids));
END
$$;
COMMENT ON FUNCTION effective_interval IS
    'The state that counts of some terminals within a time, of those that the caller sees: never two at once';

ALTER FUNCTION effective_parts(tstzmultirange, integer[]) RENAME TO whole_effective_parts;
CREATE FUNCTION effective_parts(asked tstzmultirange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, since timestamptz, until timestamptz)
LANGUAGE plpgsql STABLE STRICT ROWS 1000 SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY SELECT * FROM whole_effective_parts(asked, seen_terminals(ids));
END
$$;
COMMENT ON FUNCTION effective_parts IS
    'What counts of some terminals in some parts of time: `effective_interval` without the causes';

-- An outage that reaches out of a window begins and ends where its terminal worked, not before it was bought.
CREATE FUNCTION worked_around(asked tstzrange, ids integer[], down text[])
RETURNS TABLE (terminal_id integer, since timestamptz, till timestamptz)
LANGUAGE plpgsql STABLE ROWS 100 SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    RETURN QUERY
    SELECT seen.id, (
        SELECT lower(worked.period) FROM service_interval AS worked
        WHERE worked.terminal_id = seen.id AND lower(worked.period) < lower(asked)
            AND worked.state <> ALL(down)
            AND NOT EXISTS (
                SELECT FROM service_correction AS correction
                WHERE correction.terminal_id = seen.id AND correction.withdrawn_at IS NULL
                    AND correction.period && worked.period)
        ORDER BY lower(worked.period) DESC
        LIMIT 1
    ), least(now(), (
        SELECT upper(worked.period) FROM service_interval AS worked
        WHERE worked.terminal_id = seen.id AND lower(worked.period) >= upper(asked)
            AND worked.state <> ALL(down)
            AND NOT EXISTS (
                SELECT FROM service_correction AS correction
                WHERE correction.terminal_id = seen.id AND correction.withdrawn_at IS NULL
                    AND correction.period && worked.period)
        ORDER BY lower(worked.period)
        LIMIT 1
    ))
    FROM unnest(seen_terminals(ids)) AS seen (id);
END
$$;
COMMENT ON FUNCTION worked_around IS
    'From where some terminals worked before a time, as is recorded and nobody corrected, till where they work again after it; null: they never did';

REVOKE EXECUTE ON FUNCTION seen_terminals, effective_interval, effective_parts, worked_around FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seen_terminals, effective_interval, effective_parts, worked_around
    TO tellergrid_scoped, tellergrid_whole;
