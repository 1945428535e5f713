-- What the collector needs to repair, to judge and to explain its own gaps.

ALTER TABLE boot_ledger ADD COLUMN lost int8multirange NOT NULL DEFAULT '{}';
COMMENT ON COLUMN boot_ledger.lost IS 'Which seq were asked for in vain and given up; what came all the same is in received too.';

ALTER TABLE quarantine ADD COLUMN whole boolean;
UPDATE quarantine
SET whole = reason <> 'card_number' AND octet_length(payload) = size
    AND position('\x2a'::bytea IN payload) = 0;
ALTER TABLE quarantine ALTER COLUMN whole SET NOT NULL;
ALTER TABLE quarantine ADD COLUMN replayed_at timestamptz;
COMMENT ON COLUMN quarantine.whole IS 'Topic and payload are as they came, neither masked nor cut: such a message can be replayed.';
