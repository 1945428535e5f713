-- Taken out of the fleet, a terminal had the sums of its cell made anew of all the years it was there. They
-- hold still, but for when it belongs to the fleet by now and did not before, or the other way round.

CREATE OR REPLACE FUNCTION note_commission() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    was tstzmultirange := tstzmultirange(tstzrange(OLD.commissioned_at, OLD.decommissioned_at));
    is_now tstzmultirange := tstzmultirange(tstzrange(NEW.commissioned_at, NEW.decommissioned_at));
BEGIN
    PERFORM mark_uptime_stale(ARRAY[NEW.id], span)
    FROM unnest((was - is_now) + (is_now - was)) AS span;
    IF (OLD.kind, OLD.region_code) IS DISTINCT FROM (NEW.kind, NEW.region_code) THEN
        PERFORM mark_uptime_stale(ARRAY[NEW.id], tstzrange(map_changes_at(), NULL));
    END IF;
    RETURN NULL;
END
$$;
