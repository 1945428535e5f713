-- Messages out of their order, and clocks that were set. Written by the collector.

CREATE TABLE waiting_message (
    terminal_id integer NOT NULL REFERENCES terminal (id),
    boot integer NOT NULL,
    seq bigint NOT NULL,
    arrived_at timestamptz NOT NULL,
    channel text NOT NULL CHECK (channel IN ('telemetry', 'event')),
    payload bytea NOT NULL,
    PRIMARY KEY (terminal_id, boot, seq)
);
COMMENT ON TABLE waiting_message IS
    'Messages that are stored and not judged yet: others before them are missing and may still come.';

CREATE TABLE late_message (
    terminal_id integer NOT NULL REFERENCES terminal (id),
    boot integer NOT NULL,
    seq bigint NOT NULL,
    channel text NOT NULL CHECK (channel IN ('telemetry', 'event')),
    ts timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL,
    PRIMARY KEY (terminal_id, boot, seq)
);
COMMENT ON TABLE late_message IS
    'Messages that came when later ones had been judged: stored in telemetry or event, never judged.';
CREATE INDEX late_message_arrived ON late_message (arrived_at DESC);

CREATE TABLE clock_jump (
    terminal_id integer NOT NULL REFERENCES terminal (id),
    boot integer NOT NULL,
    seq bigint NOT NULL,
    ts timestamptz NOT NULL,
    arrived_at timestamptz NOT NULL,
    set_by interval NOT NULL,
    PRIMARY KEY (terminal_id, boot, seq)
);
COMMENT ON TABLE clock_jump IS 'A terminal''s clock that was set before this message: no hold went on by it.';
COMMENT ON COLUMN clock_jump.set_by IS 'By how much more, or less, it moved than ours';
CREATE INDEX clock_jump_arrived ON clock_jump (arrived_at DESC);

REVOKE ALL ON waiting_message, late_message, clock_jump FROM tellergrid_scoped, tellergrid_whole;
