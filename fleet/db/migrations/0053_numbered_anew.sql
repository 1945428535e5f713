-- The numbers of transactions that rows carry are a server's own. In another one, into which a dump
-- was restored, the count may be lower, and whatever goes on behind a place would wait for months.

CREATE FUNCTION number_transactions_anew() RETURNS boolean
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
    RETURN true;
END
$$;
COMMENT ON FUNCTION number_transactions_anew IS
    'After a restore into another server, once: what was in order stays so, and goes on from here';
REVOKE EXECUTE ON FUNCTION number_transactions_anew FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_transactions_anew TO tellergrid_whole;
