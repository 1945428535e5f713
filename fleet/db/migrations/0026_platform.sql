-- Our own outages are incidents too: faults, and so tickets, of scope `platform`.

ALTER TABLE fault DROP CONSTRAINT fault_scope_check;
ALTER TABLE fault ADD CONSTRAINT fault_scope_check
    CHECK (scope IN ('terminal', 'cell', 'platform'));
ALTER TABLE ticket DROP CONSTRAINT ticket_scope_check;
ALTER TABLE ticket ADD CONSTRAINT ticket_scope_check
    CHECK (scope IN ('terminal', 'cell', 'platform'));
COMMENT ON COLUMN fault.subject IS
    'The terminal or the cell it is about; of a platform fault what of ours was away';
