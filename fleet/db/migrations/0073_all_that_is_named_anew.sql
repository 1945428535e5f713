-- What other systems and phones call by its number is not tickets alone: whoever took a window back that
-- they had planned after the backup, took back another one that was given its number since.

CREATE OR REPLACE FUNCTION number_tickets_anew() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    -- More than come between a backup and its restore; there is room for thousands of restores.
    PERFORM setval(numbers, nextval(numbers) + 100000)
    FROM unnest(ARRAY['ticket', 'ticket_attachment', 'planned_window', 'service_schedule_use',
            'service_correction', 'technician_absence']) AS numbered (name)
    CROSS JOIN LATERAL CAST(pg_get_serial_sequence(numbered.name, 'id') AS regclass) AS numbers;
END
$$;
COMMENT ON FUNCTION number_tickets_anew IS
    'After a restore: tickets, and all that is called by its number, go on with numbers that nothing can have been given since the backup';
