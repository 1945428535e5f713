-- The grid as it was: every version of every cell, kept by the database whoever writes the cell.

ALTER TABLE cell ADD properties jsonb NOT NULL DEFAULT '{}';
COMMENT ON COLUMN cell.properties IS 'What else a map file said of it, given back by an export';

ALTER TABLE terminal ADD cell_override text REFERENCES cell (code);
COMMENT ON COLUMN terminal.cell_override IS 'The cell it is in whatever the map says, while that cell stands';

ALTER TABLE terminal_cell DROP CONSTRAINT terminal_cell_method_check;
ALTER TABLE terminal_cell ADD CONSTRAINT terminal_cell_method_check
    CHECK (method IN ('override', 'polygon', 'border', 'unassigned'));

CREATE TABLE cell_version (
    cell_code text NOT NULL REFERENCES cell (code),
    name text NOT NULL,
    level smallint NOT NULL,
    parent_code text,
    boundary jsonb NOT NULL,
    properties jsonb NOT NULL,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    EXCLUDE USING gist (cell_code WITH =, valid WITH &&)
);
COMMENT ON TABLE cell_version IS 'What a cell was, when: last quarter''s report uses last quarter''s tree.';
COMMENT ON COLUMN cell_version.valid IS
    'The first version has no beginning: how long a terminal was a member is said by terminal_cell';
CREATE INDEX cell_version_parent ON cell_version (parent_code);

INSERT INTO cell_version
SELECT code, name, level, parent_code, boundary, properties, tstzrange(NULL, valid_to) FROM cell;

CREATE FUNCTION keep_cell_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM cell_version WHERE cell_code = NEW.code AND lower(valid) >= now();
        UPDATE cell_version SET valid = tstzrange(lower(valid), now())
        WHERE cell_code = NEW.code AND valid @> now();
    END IF;
    IF NEW.valid_to IS NULL OR NEW.valid_to > now() THEN
        INSERT INTO cell_version VALUES (
            NEW.code, NEW.name, NEW.level, NEW.parent_code, NEW.boundary, NEW.properties,
            tstzrange(CASE WHEN TG_OP = 'UPDATE' THEN now() END, NEW.valid_to));
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER cell_created AFTER INSERT ON cell
    FOR EACH ROW EXECUTE FUNCTION keep_cell_version();
CREATE TRIGGER cell_changed AFTER UPDATE ON cell
    FOR EACH ROW
    WHEN ((OLD.name, OLD.level, OLD.parent_code, OLD.boundary, OLD.properties, OLD.valid_to)
        IS DISTINCT FROM
        (NEW.name, NEW.level, NEW.parent_code, NEW.boundary, NEW.properties, NEW.valid_to))
    EXECUTE FUNCTION keep_cell_version();

CREATE FUNCTION cell_family_during(of_cell text, asked tstzrange)
RETURNS TABLE (code text, during tstzrange)
LANGUAGE sql STABLE STRICT ROWS 20
BEGIN ATOMIC
    WITH RECURSIVE family (code, during) AS (
        SELECT of_cell, asked
        UNION ALL
        SELECT cell_version.cell_code, cell_version.valid * family.during
        FROM family
        JOIN cell_version ON cell_version.parent_code = family.code
            AND cell_version.valid && family.during
    )
    SELECT family.code, family.during FROM family;
END;
COMMENT ON FUNCTION cell_family_during IS
    'A cell and all that was below it, each with when it was: one code''s times never overlap';
