-- What is old goes by functions that run as the tables' owner: the api logs in as a role that owns
-- nothing, and may neither drop a chunk nor turn one into columns.

CREATE FUNCTION drop_older(of_table regclass, before timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF of_table NOT IN ('telemetry'::regclass, 'presence'::regclass, 'event'::regclass,
            'uptime_cell_hour'::regclass, 'uptime_terminal_day'::regclass) THEN
        RAISE EXCEPTION '% is kept for ever', of_table;
    END IF;
    RETURN (SELECT count(*) FROM drop_chunks(of_table, older_than => before));
END
$$;
COMMENT ON FUNCTION drop_older IS 'Drops whole chunks, all of whose rows are older; how many';

CREATE FUNCTION keep_as_columns(of_table regclass, after interval) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF of_table NOT IN ('telemetry'::regclass, 'event'::regclass) THEN
        RAISE EXCEPTION '% has no columns', of_table;
    END IF;
    EXECUTE format('ALTER TABLE %s SET (timescaledb.compress,'
        ' timescaledb.compress_segmentby = ''terminal_id'', timescaledb.compress_orderby = ''ts'')',
        of_table);
    PERFORM add_compression_policy(of_table, after, if_not_exists => true);
END
$$;
COMMENT ON FUNCTION keep_as_columns IS 'Lets chunks go to the columnstore after a while';

REVOKE EXECUTE ON FUNCTION drop_older, keep_as_columns FROM PUBLIC;
GRANT EXECUTE ON FUNCTION drop_older, keep_as_columns TO tellergrid_whole;
