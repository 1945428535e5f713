-- Less work for a cell's uptime: what its members were in at both ends of a window is looked up at
-- once, and its members are read from an index alone.

-- Mostly the last few intervals reach back to where the first part begins, and are as quickly read as
-- one. Of whom they do not, what else lies in the parts is searched for. Nothing is cut to the parts,
-- for whoever asks cuts it to the time that each was a member; what lies between them may be told too.
CREATE FUNCTION effective_parts(asked tstzmultirange, ids integer[])
RETURNS TABLE (terminal_id integer, state text, since timestamptz, until timestamptz)
LANGUAGE plpgsql STABLE STRICT ROWS 1000 AS $$
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
        RETURN QUERY
        SELECT counts.terminal_id, counts.state, lower(counts.period), upper(counts.period)
        FROM unnest(asked) AS part
        CROSS JOIN LATERAL planned_effective_interval(part, ids) AS counts;
    ELSE
        RETURN QUERY
        WITH latest AS MATERIALIZED (
            SELECT chosen.id, recorded.state, recorded.since, recorded.until
            FROM unnest(ids) AS chosen (id)
            CROSS JOIN LATERAL (
                SELECT service_interval.state, lower(service_interval.period) AS since,
                    coalesce(upper(service_interval.period), 'infinity') AS until
                FROM service_interval
                WHERE service_interval.terminal_id = chosen.id
                    AND lower(service_interval.period) < upper(asked)
                ORDER BY lower(service_interval.period) DESC
                LIMIT 4
            ) AS recorded
        ), more AS (
            SELECT latest.id, min(latest.since) AS before
            FROM latest
            GROUP BY latest.id
            HAVING count(*) = 4 AND min(latest.since) > lower(asked)
        )
        SELECT latest.id, latest.state, latest.since, latest.until
        FROM latest
        WHERE latest.until > lower(asked)
        UNION ALL
        SELECT recorded.terminal_id, recorded.state, lower(recorded.period), upper(recorded.period)
        FROM more
        JOIN service_interval AS recorded ON recorded.terminal_id = more.id
            AND recorded.period && asked AND lower(recorded.period) < more.before;
    END IF;
END
$$;
COMMENT ON FUNCTION effective_parts IS
    'What counts of some terminals in some parts of time: `effective_interval` without the causes';

CREATE INDEX terminal_cell_members ON terminal_cell (cell_code, terminal_id) INCLUDE (valid);
DROP INDEX terminal_cell_cell;
