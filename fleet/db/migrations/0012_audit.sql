-- The audit: every change of what the api writes, whoever made it, in a chain of hashes.

CREATE TABLE audit (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    origin text NOT NULL,
    subject text NOT NULL,
    key text NOT NULL,
    change text NOT NULL CHECK (change IN ('insert', 'update', 'delete')),
    before jsonb,
    after jsonb
);
COMMENT ON COLUMN audit.actor IS 'The account, `engine`, or at a shell the database''s user';
COMMENT ON COLUMN audit.origin IS 'The address it came from';
COMMENT ON COLUMN audit.subject IS 'The table; `key` is the row''s, its parts joined by a slash';
COMMENT ON COLUMN audit.before IS 'Of an update, the columns that are another now';
CREATE INDEX audit_order ON audit (tx, id);
CREATE INDEX audit_key ON audit (subject, key, id);

CREATE TABLE audit_seal (
    number bigint PRIMARY KEY,
    audit_id bigint NOT NULL UNIQUE,
    hash bytea NOT NULL
);
COMMENT ON TABLE audit_seal IS
    'The chain, in order of commit: each hash is of the entry and the hash before it.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_seal
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Arguments: the columns of the key, and those whose values are not to be kept.
CREATE FUNCTION keep_audit() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public AS $$
DECLARE
    was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) END;
    is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) END;
    row_key text := (
        SELECT string_agg(coalesce(is_now, was) ->> name, '/' ORDER BY place)
        FROM unnest(TG_ARGV[0]::text[]) WITH ORDINALITY AS part (name, place));
    secret text;
BEGIN
    IF TG_OP = 'UPDATE' THEN
        SELECT jsonb_object_agg(old_one.key, old_one.value),
            jsonb_object_agg(old_one.key, is_now -> old_one.key)
        INTO was, is_now
        FROM jsonb_each(was) AS old_one
        WHERE old_one.value IS DISTINCT FROM is_now -> old_one.key;
        IF was IS NULL THEN
            RETURN NULL;  -- written as it was
        END IF;
    END IF;
    FOREACH secret IN ARRAY TG_ARGV[1]::text[] LOOP
        was := CASE WHEN was ? secret THEN was || jsonb_build_object(secret, '(not kept)') ELSE was END;
        is_now := CASE WHEN is_now ? secret
            THEN is_now || jsonb_build_object(secret, '(not kept)') ELSE is_now END;
    END LOOP;
    INSERT INTO audit (actor, origin, subject, key, change, before, after)
    VALUES (
        coalesce(nullif(current_setting('tellergrid.actor', true), ''), session_user),
        coalesce(nullif(current_setting('tellergrid.origin', true), ''),
            host(inet_client_addr()), 'local'),
        TG_TABLE_NAME, row_key, lower(TG_OP), was, is_now);
    RETURN NULL;
END
$$;

CREATE PROCEDURE keep_audit_of(of_table regclass, VARIADIC secrets text[] DEFAULT '{}')
LANGUAGE plpgsql AS $$
DECLARE
    key_columns text[] := (
        SELECT array_agg(attname::text ORDER BY array_position(indkey::smallint[], attnum))
        FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY(indkey)
        WHERE indrelid = of_table AND indisprimary);
BEGIN
    IF key_columns IS NULL THEN
        RAISE EXCEPTION '% has no primary key', of_table;
    END IF;
    EXECUTE format(
        'CREATE TRIGGER audit AFTER INSERT OR UPDATE OR DELETE ON %s'
        ' FOR EACH ROW EXECUTE FUNCTION keep_audit(%L, %L)', of_table, key_columns, secrets);
END
$$;
COMMENT ON PROCEDURE keep_audit_of IS
    'Puts every change of a table into the audit, but for the values of the columns named';

CALL keep_audit_of('ticket');
CALL keep_audit_of('ticket_transition');
CALL keep_audit_of('technician');
CALL keep_audit_of('technician_cell');
CALL keep_audit_of('account', 'password_hash');
CALL keep_audit_of('region');
CALL keep_audit_of('cell');
CALL keep_audit_of('terminal');
CALL keep_audit_of('sla');
CALL keep_audit_of('sla_calendar');
CALL keep_audit_of('sla_hours');
CALL keep_audit_of('sla_holiday');
CALL keep_audit_of('service_schedule');
CALL keep_audit_of('service_schedule_week');
CALL keep_audit_of('service_schedule_day');
CALL keep_audit_of('service_schedule_use');
CALL keep_audit_of('planned_window');
CALL keep_audit_of('service_correction');
CALL keep_audit_of('published_figure');

REVOKE ALL ON audit, audit_seal FROM tellergrid_scoped, tellergrid_whole;
GRANT SELECT ON audit TO tellergrid_whole;
GRANT SELECT, INSERT ON audit_seal TO tellergrid_whole;
