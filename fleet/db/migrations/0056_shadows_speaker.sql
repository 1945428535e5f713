-- Who speaks for a fault of a rule on trial is known after a restart: whether it would have spoken for
-- itself was decided as if nobody did.

ALTER TABLE shadow_fault ADD COLUMN suppressed_by uuid;
COMMENT ON COLUMN shadow_fault.suppressed_by IS 'The open fault that speaks for it; NULL: none does';
