-- What a terminal said last before its software was started anew shows no gap where the broker lost it:
-- it is asked for once the boot is over, and that is remembered. Of boots that are over by now it is not.

ALTER TABLE boot_ledger ADD COLUMN asked_behind boolean NOT NULL DEFAULT true;
ALTER TABLE boot_ledger ALTER COLUMN asked_behind SET DEFAULT false;
COMMENT ON COLUMN boot_ledger.asked_behind IS
    'Whether the terminal, being in a later boot, was asked for what it may have said behind received; false also in the boot that goes on.';

CREATE INDEX boot_ledger_unasked ON boot_ledger (terminal_id, boot) WHERE NOT asked_behind;
COMMENT ON INDEX boot_ledger_unasked IS
    'Boots behind which is still to be asked, and of each terminal the one that goes on.';
