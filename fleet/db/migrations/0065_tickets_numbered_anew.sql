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

ALTER FUNCTION number_transactions_anew RENAME TO number_rows_anew;
REVOKE EXECUTE ON FUNCTION number_rows_anew FROM tellergrid_whole;

CREATE FUNCTION number_transactions_anew() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT number_rows_anew() THEN
        RETURN false;
    END IF;
    PERFORM number_tickets_anew();
    RETURN true;
END
$$;
COMMENT ON FUNCTION number_transactions_anew IS
    'In another server than before, rows and tickets go on with numbers of its own; whether it was one';
REVOKE EXECUTE ON FUNCTION number_transactions_anew FROM PUBLIC;
GRANT EXECUTE ON FUNCTION number_transactions_anew TO tellergrid_whole;
