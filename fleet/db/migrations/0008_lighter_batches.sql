-- What a heartbeat makes the database write, made small.

-- What changes with every message is kept apart from what seldom does: a row is written whole.
CREATE TABLE terminal_snapshot (
    terminal_id integer PRIMARY KEY,
    status json NOT NULL,
    storage json NOT NULL
);
COMMENT ON TABLE terminal_snapshot IS
    'What each terminal said last, as it came, to the byte (so json, not jsonb): equal bytes need no second reading.';
INSERT INTO terminal_snapshot
SELECT terminal_id, status, storage FROM terminal_state
WHERE status IS NOT NULL AND storage IS NOT NULL;
ALTER TABLE terminal_state DROP COLUMN status, DROP COLUMN storage;
-- Room on each page for the next version of its rows, so that no index is touched.
ALTER TABLE terminal_state SET (fillfactor = 50);

-- One terminal's rows of a day are few enough to be sorted; equal keys are stored once.
DROP INDEX telemetry_terminal;
CREATE INDEX telemetry_terminal ON telemetry (terminal_id);

-- Messages in order leave the ledger as it is: how far they have come is in terminal_state.
COMMENT ON COLUMN boot_ledger.received IS
    'Which seq are stored, but for those in order behind the last: boot_received has them too.';
CREATE VIEW boot_received AS
SELECT ledger.terminal_id, ledger.boot, ledger.doubled, ledger.lost,
    CASE WHEN state.seq >= upper(ledger.received)
        THEN ledger.received + int8multirange(int8range(upper(ledger.received), state.seq + 1))
        ELSE ledger.received
    END AS received
FROM boot_ledger AS ledger
LEFT JOIN terminal_state AS state
    ON state.terminal_id = ledger.terminal_id AND state.boot = ledger.boot;
COMMENT ON VIEW boot_received IS 'Which seq of each boot are stored.';
