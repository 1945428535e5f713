-- Values on their way: what rules about how fast a value moves remember. Written by the collector.

CREATE TABLE slope (
    terminal text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    times timestamptz[] NOT NULL,
    levels float8[] NOT NULL,
    level float8,
    PRIMARY KEY (terminal, rule, item)
);
COMMENT ON TABLE slope IS 'The present value that a rule looks at, and those before it that still matter.';
COMMENT ON COLUMN slope.level IS 'The present value; null where it is not known';

REVOKE ALL ON slope FROM tellergrid_scoped, tellergrid_whole;
