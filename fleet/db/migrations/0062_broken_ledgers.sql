-- A region is read back for what it misses, not for all boots its terminals ever had.

CREATE INDEX boot_ledger_broken ON boot_ledger (terminal_id, boot)
    WHERE lost <> '{}' OR lower(received) <> 1
       OR received <> int8multirange(range_merge(received));
COMMENT ON INDEX boot_ledger_broken IS
    'Boots of which something is missing or lost; of a terminal''s first boot also where it was first heard late.';
