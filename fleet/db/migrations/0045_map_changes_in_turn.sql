-- A change of the map holds from when its turn came, not from when its transaction began: one that
-- waited for another would else be written into a past that the other has changed.

CREATE FUNCTION map_changes_at() RETURNS timestamptz
LANGUAGE sql STABLE
RETURN coalesce(nullif(current_setting('tellergrid.map_changes_at', true), '')::timestamptz, now());
COMMENT ON FUNCTION map_changes_at IS 'When a change of the map that is being made holds; else now';

CREATE OR REPLACE FUNCTION keep_cell_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM cell_version WHERE cell_code = NEW.code AND lower(valid) >= map_changes_at();
        UPDATE cell_version SET valid = tstzrange(lower(valid), map_changes_at())
        WHERE cell_code = NEW.code AND valid @> map_changes_at();
    END IF;
    IF NEW.valid_to IS NULL OR NEW.valid_to > map_changes_at() THEN
        INSERT INTO cell_version VALUES (
            NEW.code, NEW.name, NEW.level, NEW.parent_code, NEW.boundary, NEW.properties,
            tstzrange(CASE WHEN TG_OP = 'UPDATE' THEN map_changes_at() END, NEW.valid_to));
    END IF;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION keep_technician_cell_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Dismissed and appointed in one transaction: they never left.
        UPDATE technician_cell_version SET valid = tstzrange(lower(valid), NULL)
        WHERE technician_id = NEW.technician_id AND cell_code = NEW.cell_code
            AND upper(valid) = map_changes_at();
        IF NOT FOUND THEN
            INSERT INTO technician_cell_version
            VALUES (NEW.technician_id, NEW.cell_code, tstzrange(map_changes_at(), NULL));
        END IF;
    ELSE
        DELETE FROM technician_cell_version
        WHERE technician_id = OLD.technician_id AND cell_code = OLD.cell_code
            AND lower(valid) >= map_changes_at();
        UPDATE technician_cell_version SET valid = tstzrange(lower(valid), map_changes_at())
        WHERE technician_id = OLD.technician_id AND cell_code = OLD.cell_code
            AND upper_inf(valid);
    END IF;
    RETURN NULL;
END
$$;
