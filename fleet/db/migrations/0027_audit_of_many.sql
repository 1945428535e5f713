-- A registry is imported whole: its new rows go into the audit at once, not one by one.

CREATE FUNCTION keep_audit_of_new_terminals() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public AS $$
BEGIN
    INSERT INTO audit (actor, origin, subject, key, change, before, after)
    SELECT
        coalesce(nullif(current_setting('tellergrid.actor', true), ''), session_user),
        coalesce(nullif(current_setting('tellergrid.origin', true), ''),
            host(inet_client_addr()), 'local'),
        'terminal', fresh.id::text, 'insert', NULL, to_jsonb(fresh)
    FROM fresh
    ORDER BY fresh.id;
    RETURN NULL;
END
$$;

DROP TRIGGER audit ON terminal;
CREATE TRIGGER audit AFTER UPDATE OR DELETE ON terminal
    FOR EACH ROW EXECUTE FUNCTION keep_audit('{id}', '{}');
CREATE TRIGGER audit_of_new AFTER INSERT ON terminal REFERENCING NEW TABLE AS fresh
    FOR EACH STATEMENT EXECUTE FUNCTION keep_audit_of_new_terminals();
