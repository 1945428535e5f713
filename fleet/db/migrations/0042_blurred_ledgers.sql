-- A ledger has a bound: up to somewhere it may be one range, and the messages themselves say the rest.

ALTER TABLE boot_ledger ADD COLUMN blurred_to bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN boot_ledger.blurred_to IS
    'Up to this seq the gaps were too many and are given up: received calls all of it stored, telemetry and event know better.';

CREATE OR REPLACE VIEW boot_received AS
SELECT ledger.terminal_id, ledger.boot, ledger.doubled, ledger.lost,
    CASE WHEN state.seq >= upper(ledger.received)
        THEN ledger.received + int8multirange(int8range(upper(ledger.received), state.seq + 1))
        ELSE ledger.received
    END AS received,
    ledger.blurred_to
FROM boot_ledger AS ledger
LEFT JOIN terminal_state AS state
    ON state.terminal_id = ledger.terminal_id AND state.boot = ledger.boot;
