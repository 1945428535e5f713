-- Who spoke for a fault, when: what is explained later is explained as it was.

ALTER TABLE fault_change ADD COLUMN suppressed_by uuid;
COMMENT ON COLUMN fault_change.suppressed_by IS
    'With `fired` and `suppressed`: who speaks for it from then on. Not kept before migration 0033';

CREATE FUNCTION fault_speaker(of_fault uuid, asked timestamptz)
RETURNS TABLE (id uuid)
LANGUAGE sql STABLE STRICT ROWS 1
BEGIN ATOMIC
    SELECT CASE
        WHEN said.change = 'released' THEN NULL
        WHEN said.suppressed_by IS NOT NULL THEN said.suppressed_by
        WHEN said.change = 'suppressed' OR said.alone THEN fault.suppressed_by
    END
    FROM fault
    CROSS JOIN LATERAL (
        SELECT fault_change.change, fault_change.suppressed_by, NOT EXISTS (
            SELECT FROM fault_change AS other
            WHERE other.fault_id = of_fault AND other.change IN ('suppressed', 'released')) AS alone
        FROM fault_change
        WHERE fault_change.fault_id = of_fault AND fault_change.at <= asked
            AND fault_change.change IN ('fired', 'suppressed', 'released')
        ORDER BY fault_change.at DESC, fault_change.id DESC
        LIMIT 1) AS said
    WHERE fault.id = of_fault;
END;
COMMENT ON FUNCTION fault_speaker IS
    'Who spoke for a fault at a time; before that was kept, who does now, where it never changed';

GRANT SELECT ON shadow_fault TO tellergrid_whole;
