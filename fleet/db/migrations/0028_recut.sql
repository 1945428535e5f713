-- Intervals that are to be cut anew, for something that was said in them came late. Written by the
-- collector.

CREATE TABLE interval_recut (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    terminal_id integer NOT NULL REFERENCES terminal (id),
    said tstzrange NOT NULL CHECK (NOT isempty(said)),
    messages integer NOT NULL CHECK (messages > 0),
    marked_at timestamptz NOT NULL DEFAULT now(),
    done_at timestamptz,
    cut tstzrange,
    CHECK (cut IS NULL OR done_at IS NOT NULL)
);
COMMENT ON TABLE interval_recut IS
    'What came late, noted in the transaction that stores it; cut anew in the one that notes that.';
COMMENT ON COLUMN interval_recut.said IS 'From when to when it was said, both included';
COMMENT ON COLUMN interval_recut.cut IS
    'What was cut anew; null where nothing could be, for what was said before is kept no more';
CREATE INDEX interval_recut_due ON interval_recut (terminal_id) WHERE done_at IS NULL;

COMMENT ON TABLE late_message IS
    'Messages that came when later ones had been judged: stored in telemetry or event, and judged only where intervals are cut anew.';

REVOKE ALL ON interval_recut FROM tellergrid_scoped, tellergrid_whole;
