-- Who answered for which cell, when: kept by the database whoever appoints and dismisses them.

CREATE TABLE technician_cell_version (
    technician_id integer NOT NULL REFERENCES technician (id) ON DELETE CASCADE,
    cell_code text NOT NULL REFERENCES cell (code),
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    EXCLUDE USING gist (technician_id WITH =, cell_code WITH =, valid WITH &&)
);
COMMENT ON TABLE technician_cell_version IS
    'What technician_cell said, when. Of a cell that ended the people are those that it had.';
COMMENT ON COLUMN technician_cell_version.valid IS
    'Without a beginning for those who were there before this was kept';
CREATE INDEX technician_cell_version_cell ON technician_cell_version (cell_code);

INSERT INTO technician_cell_version
SELECT technician_id, cell_code, tstzrange(NULL, NULL) FROM technician_cell;

CREATE FUNCTION keep_technician_cell_version() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        -- Dismissed and appointed in one transaction: they never left.
        UPDATE technician_cell_version SET valid = tstzrange(lower(valid), NULL)
        WHERE technician_id = NEW.technician_id AND cell_code = NEW.cell_code
            AND upper(valid) = now();
        IF NOT FOUND THEN
            INSERT INTO technician_cell_version
            VALUES (NEW.technician_id, NEW.cell_code, tstzrange(now(), NULL));
        END IF;
    ELSE
        DELETE FROM technician_cell_version
        WHERE technician_id = OLD.technician_id AND cell_code = OLD.cell_code
            AND lower(valid) >= now();
        UPDATE technician_cell_version SET valid = tstzrange(lower(valid), now())
        WHERE technician_id = OLD.technician_id AND cell_code = OLD.cell_code
            AND upper_inf(valid);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER kept AFTER INSERT OR DELETE ON technician_cell
    FOR EACH ROW EXECUTE FUNCTION keep_technician_cell_version();

CALL guard('technician_cell_version', 'cell_code = ANY ((SELECT scope_reach())::text[])');
REVOKE INSERT, UPDATE, DELETE ON technician_cell_version FROM tellergrid_scoped, tellergrid_whole;
