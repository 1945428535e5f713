-- How far the terminals' clocks are off. Written by the collector.

CREATE TABLE terminal_clock (
    terminal_id integer PRIMARY KEY REFERENCES terminal (id) ON DELETE CASCADE,
    skew_us bigint NOT NULL,
    measured_at timestamptz NOT NULL
);
COMMENT ON TABLE terminal_clock IS 'Measured by the quickest message of an hour; a change of a second is written.';
COMMENT ON COLUMN terminal_clock.skew_us IS 'Microseconds that the clock is ahead of ours; negative: behind, or that far away';
CALL guard('terminal_clock', 'EXISTS (SELECT FROM terminal_state WHERE terminal_state.terminal_id = terminal_clock.terminal_id)');
REVOKE INSERT, UPDATE, DELETE ON terminal_clock FROM tellergrid_scoped, tellergrid_whole;
