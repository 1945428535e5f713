-- A backup knows nothing of the tickets that were raised after it, and their numbers would be given
-- to others: what a phone has in its outbox for one of them would be done to somebody else's.

CREATE FUNCTION number_tickets_anew() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    -- More than are raised between a backup and its restore; there is room for thousands of restores.
    SELECT setval(numbers, nextval(numbers) + 100000)
    FROM CAST(pg_get_serial_sequence('ticket', 'id') AS regclass) AS numbers
$$;
COMMENT ON FUNCTION number_tickets_anew IS
    'After a restore: tickets go on with numbers that nothing can have been given since the backup';
REVOKE EXECUTE ON FUNCTION number_tickets_anew FROM PUBLIC;

CREATE OR REPLACE FUNCTION number_transactions_anew() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told notification_place;
    last_told bigint;
BEGIN
    SELECT * INTO told FROM notification_place FOR UPDATE;  -- one at a time
    -- What is committed is below the first number that is not given yet; whoever calls has written nothing.
    IF NOT EXISTS (SELECT FROM audit WHERE tx > pg_snapshot_xmax(pg_current_snapshot()))
        AND NOT EXISTS (SELECT FROM fault_change WHERE tx > pg_snapshot_xmax(pg_current_snapshot()))
        AND NOT EXISTS (SELECT FROM ticket_transition WHERE tx > pg_snapshot_xmax(pg_current_snapshot()))
        AND NOT EXISTS (SELECT FROM uptime_summed WHERE watched_tx > pg_snapshot_xmax(pg_current_snapshot()))
        AND told.tx <= pg_snapshot_xmax(pg_current_snapshot())
    THEN
        RETURN false;
    END IF;
    -- 1 and 2 are numbers of no transaction: 1 for what was read behind the place, 2 for what was not.
    -- What was written here since has a lower number than the place, and a higher id than all before.
    SELECT max(id) INTO last_told FROM ticket_transition
    WHERE tx > pg_snapshot_xmax(pg_current_snapshot()) AND (tx, id) <= (told.tx, told.key);
    ALTER TABLE audit DISABLE TRIGGER USER;
    UPDATE audit SET tx = CASE
        WHEN EXISTS (SELECT FROM audit_seal WHERE audit_id = audit.id) THEN '1' ELSE '2' END::xid8;
    ALTER TABLE audit ENABLE TRIGGER USER;
    ALTER TABLE ticket_transition DISABLE TRIGGER USER;
    UPDATE ticket_transition SET tx = CASE
        WHEN (tx, id) > (told.tx, told.key) OR id > last_told THEN '2' ELSE '1' END::xid8;
    ALTER TABLE ticket_transition ENABLE TRIGGER USER;
    ALTER TABLE fault_change DISABLE TRIGGER USER;
    UPDATE fault_change SET tx = '1';
    ALTER TABLE fault_change ENABLE TRIGGER USER;
    UPDATE notification_place SET tx = '2', key = 0;
    UPDATE uptime_summed SET watched_tx = NULL;
    PERFORM number_tickets_anew();
    RETURN true;
END
$$;
