-- Dispatch hears at once of what a terminal takes and where it stands, without reading them all each time.

CREATE TABLE terminal_stamp (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    stamp uuid NOT NULL DEFAULT gen_random_uuid()
);
COMMENT ON TABLE terminal_stamp IS 'Another with every change of what dispatch knows of terminals';
INSERT INTO terminal_stamp DEFAULT VALUES;
REVOKE INSERT, UPDATE, DELETE ON terminal_stamp FROM tellergrid_scoped, tellergrid_whole;

CREATE FUNCTION stamp_terminals() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE terminal_stamp SET stamp = gen_random_uuid();
    RETURN NULL;
END
$$;
CREATE TRIGGER stamp_terminals AFTER UPDATE OF skills, site, latitude, longitude ON terminal
    FOR EACH STATEMENT EXECUTE FUNCTION stamp_terminals();
