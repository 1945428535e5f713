-- Less work for what looks at all live tickets and all open faults every few seconds: what it asks of
-- each is in an index.

CREATE INDEX ticket_live_state ON ticket (state)
    INCLUDE (id, version, fault_id, severity, recovered_at)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');

CREATE INDEX fault_open_id ON fault (id) INCLUDE (severity, suppressed_by) WHERE cleared_at IS NULL;
