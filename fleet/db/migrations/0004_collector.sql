-- What the collector needs to repair, to judge and to explain its own gaps.

ALTER TABLE boot_ledger ADD COLUMN lost int8multirange NOT NULL DEFAULT '{}';
COMMENT ON COLUMN boot_ledger.lost IS 'Which seq were asked for in vain and given up; what came all the same is in received too.';
