-- What lets the api answer promptly: promises that are read once, live tickets by terminal.

CREATE TABLE sla_stamp (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    stamp uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE sla_stamp IS 'Another with every change of promises and calendars: who has read them need not again.';
INSERT INTO sla_stamp DEFAULT VALUES;
GRANT SELECT ON sla_stamp TO tellergrid_scoped, tellergrid_whole;
REVOKE INSERT, UPDATE, DELETE ON sla_stamp FROM tellergrid_scoped, tellergrid_whole;

CREATE FUNCTION stamp_sla() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public AS $$
BEGIN
    UPDATE sla_stamp SET stamp = gen_random_uuid();
    RETURN NULL;
END
$$;
DO $$
DECLARE
    watched regclass;
BEGIN
    FOREACH watched IN ARRAY '{sla,sla_calendar,sla_hours,sla_holiday}'::regclass[] LOOP
        EXECUTE format('CREATE TRIGGER stamp_sla AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s'
            ' FOR EACH STATEMENT EXECUTE FUNCTION stamp_sla()', watched);
    END LOOP;
END
$$;

CREATE FUNCTION sla_seen() RETURNS text LANGUAGE sql STABLE
RETURN concat_ws(' ', (SELECT stamp FROM sla_stamp), current_setting('role'),
    current_setting('tellergrid.reach', true));
COMMENT ON FUNCTION sla_seen IS 'The same for all who see the same promises, until one changes';

CREATE INDEX ticket_live_terminal ON ticket (terminal_id)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');

-- As it was, but for the case of nearly always: nothing comes before what is recorded, and few
-- terminals are asked about. That needs no planning for the values it is run with.
ALTER FUNCTION effective_interval RENAME TO planned_effective_interval;
CREATE FUNCTION effective_interval(asked tstzrange, ids integer[])
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
        SELECT recorded.terminal_id, recorded.state, recorded.causes, recorded.period * asked
        FROM unnest(ids) AS chosen (id)
        JOIN service_interval AS recorded ON recorded.terminal_id = chosen.id
            AND recorded.period && asked;
    END IF;
END
$$;
COMMENT ON FUNCTION effective_interval IS
    'What counts of some terminals: what is recorded, less what comes before it';
