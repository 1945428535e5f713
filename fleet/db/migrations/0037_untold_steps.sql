-- What terminals' holds did and cells do not know yet, for something earlier may still come. Written
-- by the collector.

CREATE TABLE untold_step (
    terminal_id integer NOT NULL REFERENCES terminal (id),
    place integer NOT NULL,
    at timestamptz NOT NULL,
    rule text NOT NULL,
    item text NOT NULL,
    before jsonb,
    word text CHECK (word IN ('fire', 'rated', 'cleared', 'flapped')),
    said jsonb,
    serves boolean,
    counted boolean NOT NULL,
    PRIMARY KEY (terminal_id, place),
    CHECK ((word IS NULL) = (said IS NULL))
);
COMMENT ON TABLE untold_step IS
    'Steps of holds, of rules whose faults are told in order, that wait to be told, in their places.';
COMMENT ON COLUMN untold_step.at IS 'When it counts among cells, by our clock';
COMMENT ON COLUMN untold_step.before IS 'The hold before it, as it was told; null where there was none';
COMMENT ON COLUMN untold_step.word IS 'What is to be said of the fault with it';
COMMENT ON COLUMN untold_step.serves IS
    'Of a step of no rule: the terminal came into service, or went out of it';
COMMENT ON COLUMN untold_step.counted IS 'Cells count it, and it waits for a decision to be said';

REVOKE ALL ON untold_step FROM tellergrid_scoped, tellergrid_whole;
