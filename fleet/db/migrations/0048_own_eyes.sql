-- What works with its owner's rights finds the tables of this database, and not those that whoever
-- called it made for the session: a temporary table named `audit` took the entries of the audit.

DO $$
DECLARE
    ours regprocedure;
BEGIN
    FOR ours IN
        SELECT pg_proc.oid
        FROM pg_proc JOIN pg_language ON pg_language.oid = pg_proc.prolang
        WHERE pronamespace = 'public'::regnamespace AND prosecdef AND lanname = 'plpgsql'
            AND NOT EXISTS (
                SELECT FROM pg_depend WHERE pg_depend.objid = pg_proc.oid AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s SET search_path = public, pg_temp', ours);
    END LOOP;
END
$$;
