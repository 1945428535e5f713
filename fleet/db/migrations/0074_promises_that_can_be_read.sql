-- Promises are written by hand, and whatever reads one reads all: a zone that is misspelt, or a time without
-- end, and no ticket could be read any more, nor anybody sent. They are refused where they are written.

ALTER TABLE sla ADD CONSTRAINT sla_valid_from_reckonable
    CHECK (valid_from BETWEEN '0002-01-01 00:00Z' AND '9989-12-31 00:00Z');
ALTER TABLE sla_holiday ADD CONSTRAINT sla_holiday_day_reckonable
    CHECK (day BETWEEN '0002-01-01' AND '9989-12-31');

CREATE FUNCTION require_known_zone() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = NEW.zone) THEN
        RAISE 'zone % is no IANA time zone, such as Asia/Shanghai', NEW.zone
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER require_known_zone BEFORE INSERT OR UPDATE OF zone ON sla_calendar
    FOR EACH ROW EXECUTE FUNCTION require_known_zone();
