-- Sums of uptime, made before they are asked for. Written by the api.
--
-- `us` and `outages` are as `effective_interval` says. A row of the state `longest` holds the longest
-- outage that lies whole within its hour or day and within its terminal's time in the cell; those
-- that reach an edge are in `uptime_crossing`, piece by piece, to be put together again.

CREATE TABLE uptime_cell_day (
    at timestamptz NOT NULL,
    cell_code text NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    us bigint NOT NULL,
    outages integer NOT NULL,
    PRIMARY KEY (cell_code, at, state, cause)
);
COMMENT ON COLUMN uptime_cell_day.cell_code IS 'With its own members alone; empty: the whole fleet';
CREATE INDEX uptime_cell_day_at ON uptime_cell_day (at);

CREATE TABLE uptime_cell_hour (LIKE uptime_cell_day INCLUDING ALL);
SELECT create_hypertable('uptime_cell_hour', by_range('at', INTERVAL '30 days'),
    create_default_indexes => false);

CREATE TABLE uptime_terminal_day (
    at timestamptz NOT NULL,
    cell_code text NOT NULL,
    terminal_id integer NOT NULL,
    state text NOT NULL,
    cause text NOT NULL,
    us bigint NOT NULL,
    outages integer NOT NULL,
    PRIMARY KEY (cell_code, at, terminal_id, state, cause)
);
COMMENT ON TABLE uptime_terminal_day IS
    'Hours of terminals are not kept: they would be many more rows than the intervals they are made of.';
SELECT create_hypertable('uptime_terminal_day', by_range('at', INTERVAL '30 days'),
    create_default_indexes => false);

CREATE TABLE uptime_crossing (
    grain text NOT NULL CHECK (grain IN ('hour', 'day')),
    at timestamptz NOT NULL,
    cell_code text NOT NULL,
    terminal_id integer NOT NULL,
    period tstzrange NOT NULL
);
CREATE INDEX uptime_crossing_at ON uptime_crossing (grain, at, cell_code);

CREATE TABLE uptime_summed (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    zone text NOT NULL,
    begins_at timestamptz NOT NULL,
    summed_to timestamptz NOT NULL,
    hours_from timestamptz NOT NULL DEFAULT '-infinity',
    terminals_from timestamptz NOT NULL DEFAULT '-infinity',
    watched_to timestamptz NOT NULL,
    watched_tx xid8
);
COMMENT ON TABLE uptime_summed IS 'From and to when there are sums, and in whose hours and days.';
COMMENT ON COLUMN uptime_summed.hours_from IS 'Sums of hours before it are dropped or may be';
COMMENT ON COLUMN uptime_summed.terminals_from IS 'Sums of terminals before it are dropped or may be';
COMMENT ON COLUMN uptime_summed.watched_to IS
    'Changes before it are noted in `uptime_stale`; time is summed once every writer knows that.';
COMMENT ON COLUMN uptime_summed.watched_tx IS 'Transactions before it may not have known yet';

CREATE TABLE uptime_stale (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cell_code text NOT NULL,
    span tstzrange NOT NULL
);
COMMENT ON TABLE uptime_stale IS
    'Whose sums no longer hold, when: they are not used until they are made anew. Writers only add.';
CREATE INDEX uptime_stale_cell ON uptime_stale (cell_code);

CREATE FUNCTION uptime_watched(span tstzrange) RETURNS tstzrange
LANGUAGE sql STABLE SECURITY DEFINER
BEGIN ATOMIC
    -- With a microsecond on either side: whether an outage begins is seen from just before.
    SELECT tstzrange(lower(span) - interval '1 microsecond', upper(span) + interval '1 microsecond')
        * tstzrange(begins_at, watched_to)
    FROM uptime_summed;
END;
COMMENT ON FUNCTION uptime_watched IS 'What of a time may be summed already; null where nothing is';

CREATE FUNCTION mark_uptime_stale(ids integer[], span tstzrange) RETURNS void
LANGUAGE sql SECURITY DEFINER
BEGIN ATOMIC
    INSERT INTO uptime_stale (cell_code, span)
    SELECT DISTINCT terminal_cell.cell_code, watched.span
    FROM (SELECT uptime_watched(mark_uptime_stale.span) AS span) AS watched
    JOIN terminal_cell ON terminal_cell.valid && watched.span
    WHERE NOT isempty(watched.span)
        AND (mark_uptime_stale.ids IS NULL
            OR terminal_cell.terminal_id = ANY(mark_uptime_stale.ids));
END;
COMMENT ON FUNCTION mark_uptime_stale IS
    'Note that the sums of the cells that terminals were in no longer hold; null: of all terminals';

-- What is recorded.
CREATE FUNCTION note_recorded() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    watched timestamptz := (SELECT watched_to FROM uptime_summed);
BEGIN
    IF watched IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        -- Where it is another than it was: of what was cut at its end, from there on.
        INSERT INTO uptime_stale (cell_code, span)
        SELECT terminal_cell.cell_code, uptime_watched(span)
        FROM (
            SELECT terminal_id, state, causes, range_agg(period) AS periods FROM gone
            GROUP BY terminal_id, state, causes
        ) AS before
        FULL JOIN (
            SELECT terminal_id, state, causes, range_agg(period) AS periods FROM fresh
            GROUP BY terminal_id, state, causes
        ) AS since USING (terminal_id, state, causes)
        CROSS JOIN LATERAL unnest(
            coalesce(before.periods - since.periods, before.periods, '{}')
            + coalesce(since.periods - before.periods, since.periods, '{}')) AS span
        JOIN terminal_cell ON terminal_cell.terminal_id = coalesce(
                before.terminal_id, since.terminal_id)
            AND terminal_cell.valid && uptime_watched(span)
        WHERE coalesce(lower(span), '-infinity') < watched;
    ELSE
        INSERT INTO uptime_stale (cell_code, span)
        SELECT terminal_cell.cell_code, uptime_watched(changed.period)
        FROM changed
        JOIN terminal_cell ON terminal_cell.terminal_id = changed.terminal_id
            AND terminal_cell.valid && uptime_watched(changed.period)
        WHERE coalesce(lower(changed.period), '-infinity') < watched;
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER recorded_added AFTER INSERT ON service_interval REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_recorded();
CREATE TRIGGER recorded_gone AFTER DELETE ON service_interval REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_recorded();
CREATE TRIGGER recorded_changed AFTER UPDATE ON service_interval
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_recorded();

-- What is said and planned.
CREATE FUNCTION note_correction() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM mark_uptime_stale(ARRAY[NEW.terminal_id], NEW.period);
    RETURN NULL;
END
$$;
CREATE TRIGGER correction_changed AFTER INSERT OR UPDATE ON service_correction
    FOR EACH ROW EXECUTE FUNCTION note_correction();

CREATE FUNCTION note_occurrence() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    span tstzrange := range_merge(coalesce(NEW.period, OLD.period), coalesce(OLD.period, NEW.period));
BEGIN
    IF NOT isempty(uptime_watched(span)) THEN
        PERFORM mark_uptime_stale(CASE WHEN planned.terminal_id IS NOT NULL
            THEN ARRAY[planned.terminal_id] END, span)
        FROM planned_window AS planned
        WHERE planned.id = coalesce(NEW.window_id, OLD.window_id)
            AND planned.purpose = 'maintenance';
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER occurrence_changed AFTER INSERT OR UPDATE OR DELETE ON planned_occurrence
    FOR EACH ROW EXECUTE FUNCTION note_occurrence();

CREATE FUNCTION note_schedule_use() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    span tstzrange := range_merge(coalesce(NEW.valid, OLD.valid), coalesce(OLD.valid, NEW.valid));
BEGIN
    IF TG_OP = 'UPDATE' AND lower(NEW.valid) = lower(OLD.valid) THEN
        span := tstzrange(least(upper(NEW.valid), upper(OLD.valid)), NULL);
    END IF;
    PERFORM mark_uptime_stale(CASE WHEN coalesce(NEW.terminal_id, OLD.terminal_id) IS NOT NULL
        THEN ARRAY[coalesce(NEW.terminal_id, OLD.terminal_id)] END, span);
    RETURN NULL;
END
$$;
CREATE TRIGGER schedule_use_changed AFTER INSERT OR UPDATE OR DELETE ON service_schedule_use
    FOR EACH ROW EXECUTE FUNCTION note_schedule_use();

CREATE FUNCTION note_schedule_day() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    of_day date := coalesce(NEW.day, OLD.day);
BEGIN
    -- A day of any zone, with the hour that a clock may be set by.
    PERFORM mark_uptime_stale(
        CASE WHEN used.terminal_id IS NOT NULL THEN ARRAY[used.terminal_id] END,
        used.valid * tstzrange(of_day::timestamp AT TIME ZONE 'UTC' - interval '15 hours',
            of_day::timestamp AT TIME ZONE 'UTC' + interval '39 hours'))
    FROM service_schedule_use AS used
    WHERE used.schedule_code = coalesce(NEW.schedule_code, OLD.schedule_code);
    RETURN NULL;
END
$$;
CREATE TRIGGER schedule_day_changed AFTER INSERT OR UPDATE OR DELETE ON service_schedule_day
    FOR EACH ROW EXECUTE FUNCTION note_schedule_day();

CREATE FUNCTION note_blindness() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    span tstzrange := range_merge(coalesce(NEW.period, OLD.period), coalesce(OLD.period, NEW.period));
BEGIN
    IF NOT isempty(uptime_watched(span)) THEN
        PERFORM mark_uptime_stale(
            ARRAY(SELECT terminal.id FROM terminal
                WHERE terminal.region_code = coalesce(NEW.region_code, OLD.region_code)), span);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER blindness_changed AFTER INSERT OR UPDATE OR DELETE ON blindness
    FOR EACH ROW EXECUTE FUNCTION note_blindness();

-- Who belongs where.
CREATE FUNCTION note_membership() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    watched timestamptz := (SELECT watched_to FROM uptime_summed);
BEGIN
    IF watched IS NULL THEN
        RETURN NULL;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        INSERT INTO uptime_stale (cell_code, span)
        SELECT cell_code, uptime_watched(span)
        FROM (
            SELECT terminal_id, cell_code, range_agg(valid) AS valid FROM gone
            GROUP BY terminal_id, cell_code
        ) AS before
        FULL JOIN (
            SELECT terminal_id, cell_code, range_agg(valid) AS valid FROM fresh
            GROUP BY terminal_id, cell_code
        ) AS since USING (terminal_id, cell_code)
        CROSS JOIN LATERAL unnest(
            coalesce(before.valid - since.valid, before.valid, '{}')
            + coalesce(since.valid - before.valid, since.valid, '{}')) AS span
        WHERE coalesce(lower(span), '-infinity') < watched AND NOT isempty(uptime_watched(span));
    ELSE
        INSERT INTO uptime_stale (cell_code, span)
        SELECT changed.cell_code, uptime_watched(changed.valid) FROM changed
        WHERE coalesce(lower(changed.valid), '-infinity') < watched
            AND NOT isempty(uptime_watched(changed.valid));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER member_added AFTER INSERT ON terminal_cell REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_membership();
CREATE TRIGGER member_gone AFTER DELETE ON terminal_cell REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION note_membership();
CREATE TRIGGER member_changed AFTER UPDATE ON terminal_cell
    REFERENCING OLD TABLE AS gone NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION note_membership();

CREATE FUNCTION note_commission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM mark_uptime_stale(ARRAY[NEW.id], tstzrange(NULL, NULL));
    RETURN NULL;
END
$$;
CREATE TRIGGER commission_changed AFTER UPDATE ON terminal
    FOR EACH ROW
    WHEN ((OLD.commissioned_at, OLD.decommissioned_at, OLD.kind, OLD.region_code)
        IS DISTINCT FROM (NEW.commissioned_at, NEW.decommissioned_at, NEW.kind, NEW.region_code))
    EXECUTE FUNCTION note_commission();

CALL guard('uptime_cell_day', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('uptime_cell_hour', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('uptime_terminal_day', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('uptime_crossing', 'cell_code = ANY ((SELECT scope_cells())::text[])');
CALL guard('uptime_stale', 'cell_code = ANY ((SELECT scope_cells())::text[])');
REVOKE INSERT, UPDATE, DELETE ON uptime_cell_day, uptime_cell_hour, uptime_terminal_day,
    uptime_crossing, uptime_stale, uptime_summed FROM tellergrid_scoped;
GRANT TRUNCATE ON uptime_cell_day, uptime_cell_hour, uptime_terminal_day, uptime_crossing,
    uptime_stale, uptime_summed TO tellergrid_whole;
