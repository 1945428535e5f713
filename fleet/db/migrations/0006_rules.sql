-- What the engine remembers beyond holds. Written by the collector.

ALTER TABLE hold ADD COLUMN flapping boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN hold.flapping IS 'Its fault goes to and fro: it does not clear before it is steady.';

ALTER TABLE fault ADD COLUMN flapping_at timestamptz, ADD COLUMN steady_at timestamptz;
COMMENT ON COLUMN fault.flapping_at IS 'When it began to flap, the last time it did';
COMMENT ON COLUMN fault.steady_at IS 'When it flapped no more; null while it flaps';

ALTER TABLE fault_change DROP CONSTRAINT fault_change_change_check;
ALTER TABLE fault_change ADD CONSTRAINT fault_change_change_check CHECK (change IN (
    'fired', 'cleared', 'suppressed', 'released', 'flapping', 'steady'));

CREATE TABLE hold_transition (
    scope text NOT NULL CHECK (scope IN ('terminal', 'cell')),
    subject text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    times timestamptz[] NOT NULL,
    raised boolean NOT NULL,
    PRIMARY KEY (scope, subject, rule, item)
);
COMMENT ON TABLE hold_transition IS 'The last twenty transitions of each cause that was a fault once: what flapping is judged on.';
COMMENT ON COLUMN hold_transition.raised IS 'Whether the newest of them raised';

CREATE TABLE event_count (
    terminal text NOT NULL,
    rule text NOT NULL,
    times timestamptz[] NOT NULL,
    PRIMARY KEY (terminal, rule)
);
COMMENT ON TABLE event_count IS 'The newest events that a rule counts, as many as it takes to fire, by event time.';
