-- What arrives from terminals and what follows from it. Written by the collector.

CREATE TABLE telemetry (
    ts timestamptz NOT NULL,
    terminal_id integer NOT NULL,
    boot integer NOT NULL,
    seq bigint NOT NULL,
    arrived_at timestamptz NOT NULL,
    temperature_c real,
    rtt_ms real,
    disk_free_pct real,
    status jsonb,
    storage jsonb,
    extra jsonb
);
COMMENT ON COLUMN telemetry.extra IS 'Metrics that only the vendor knows';
COMMENT ON TABLE telemetry IS 'One row a telemetry message; status and storage are null where they repeat the message before.';
SELECT create_hypertable('telemetry', by_range('ts', INTERVAL '1 day'), create_default_indexes => false);
CREATE INDEX telemetry_terminal ON telemetry (terminal_id, ts DESC);

CREATE TABLE event (
    ts timestamptz NOT NULL,
    terminal_id integer NOT NULL,
    boot integer NOT NULL,
    seq bigint NOT NULL,
    arrived_at timestamptz NOT NULL,
    name text NOT NULL,
    body jsonb NOT NULL
);
SELECT create_hypertable('event', by_range('ts', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX event_terminal ON event (terminal_id, ts DESC);

CREATE TABLE boot_ledger (
    terminal_id integer NOT NULL,
    boot integer NOT NULL,
    received int8multirange NOT NULL,
    doubled bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (terminal_id, boot)
);
COMMENT ON TABLE boot_ledger IS 'Which seq of each boot are stored: what makes duplicates droppable and losses countable.';

CREATE TABLE terminal_state (
    terminal_id integer PRIMARY KEY,
    boot integer,
    seq bigint,
    ts timestamptz,
    arrived_at timestamptz,
    heard_at timestamptz,
    connected boolean,
    status json,
    storage json,
    metrics json,
    service_state text NOT NULL DEFAULT 'unknown',
    service_since timestamptz
);
COMMENT ON TABLE terminal_state IS 'The latest of each terminal: what the engine needs to go on after a restart.';
COMMENT ON COLUMN terminal_state.ts IS 'The event time the terminal has reached: never goes backwards.';
COMMENT ON COLUMN terminal_state.arrived_at IS 'When the message of ts arrived: the difference is the lag of the terminal''s clock.';
COMMENT ON COLUMN terminal_state.status IS 'As it came, to the byte (so json, not jsonb): equal bytes need no second reading.';
COMMENT ON COLUMN terminal_state.heard_at IS 'When anything new was last heard of it: silence is judged on it.';

CREATE TABLE service_interval (
    terminal_id integer NOT NULL,
    state text NOT NULL CHECK (state IN (
        'planned_maintenance', 'out_of_schedule', 'unknown', 'offline', 'supervisor',
        'out_of_service', 'cash_out', 'degraded', 'in_service')),
    period tstzrange NOT NULL CHECK (NOT isempty(period)),
    causes text[] NOT NULL DEFAULT '{}',
    EXCLUDE USING gist (terminal_id WITH =, period WITH &&)
);
COMMENT ON COLUMN service_interval.causes IS 'The rules that made the state so when the interval began.';
CREATE INDEX service_interval_open ON service_interval (terminal_id) WHERE upper_inf(period);

CREATE TABLE hold (
    scope text NOT NULL CHECK (scope IN ('terminal', 'cell')),
    subject text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    phase text NOT NULL CHECK (phase IN ('pending', 'firing', 'clearing')),
    since timestamptz NOT NULL,
    started_at timestamptz NOT NULL,
    fault_id uuid,
    PRIMARY KEY (scope, subject, rule, item)
);
COMMENT ON TABLE hold IS 'Where each rule''s hold stands; a rule that is idle has no row.';

CREATE TABLE fault (
    id uuid PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('terminal', 'cell')),
    subject text NOT NULL,
    terminal_id integer REFERENCES terminal (id),
    cell_code text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    component text NOT NULL,
    impact text NOT NULL,
    title text NOT NULL,
    remedy text NOT NULL,
    skill text NOT NULL,
    line smallint NOT NULL CHECK (line IN (1, 2)),
    parts text[] NOT NULL DEFAULT '{}',
    started_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    cleared_at timestamptz CHECK (cleared_at >= started_at),
    suppressed_by uuid REFERENCES fault (id),
    catalogue text NOT NULL,
    CHECK ((scope = 'terminal') = (terminal_id IS NOT NULL))
);
COMMENT ON COLUMN fault.started_at IS 'When the condition became true, in event time';
COMMENT ON COLUMN fault.fired_at IS 'When its hold time was over: started_at + for, exactly';
COMMENT ON COLUMN fault.suppressed_by IS 'The cell fault that speaks for this one: no ticket of its own';
COMMENT ON COLUMN fault.catalogue IS 'Version and hash of the rule catalogue that decided';
CREATE UNIQUE INDEX fault_open ON fault (scope, subject, rule, item) WHERE cleared_at IS NULL;
CREATE INDEX fault_terminal ON fault (terminal_id, started_at DESC);
CREATE INDEX fault_cell ON fault (cell_code, started_at DESC);
CREATE INDEX fault_started ON fault (started_at DESC, id DESC);
CREATE INDEX fault_open_cell ON fault (cell_code) WHERE cleared_at IS NULL;

CREATE TABLE fault_change (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    fault_id uuid NOT NULL REFERENCES fault (id),
    change text NOT NULL CHECK (change IN ('fired', 'cleared', 'suppressed', 'released')),
    at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL DEFAULT now(),
    tx xid8 NOT NULL DEFAULT pg_current_xact_id()
);
COMMENT ON COLUMN fault_change.tx IS 'Orders the feed by commit: readers take only transactions that are all over.';
CREATE INDEX fault_change_feed ON fault_change (tx, id);

CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    arrived_at timestamptz NOT NULL,
    topic text NOT NULL,
    reason text NOT NULL CHECK (reason IN (
        'malformed', 'oversized', 'wrong_topic', 'unknown_terminal', 'far_future', 'far_past',
        'card_number')),
    detail text NOT NULL,
    size integer NOT NULL,
    payload bytea NOT NULL
);
COMMENT ON COLUMN quarantine.payload IS 'The first 64 KiB, what looks like a card number masked';
CREATE INDEX quarantine_arrived ON quarantine (arrived_at DESC);
