-- What rules on trial would have raised. Written by the collector.

CREATE TABLE shadow_fault (
    id uuid PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('terminal', 'cell')),
    subject text NOT NULL,
    terminal_id integer REFERENCES terminal (id),
    cell_code text NOT NULL,
    rule text NOT NULL,
    item text NOT NULL DEFAULT '',
    severity text NOT NULL,
    started_at timestamptz NOT NULL,
    fired_at timestamptz NOT NULL,
    cleared_at timestamptz,
    alone boolean NOT NULL,
    flapped boolean NOT NULL DEFAULT false,
    catalogue text NOT NULL
);
COMMENT ON TABLE shadow_fault IS 'Faults of shadow rules: counted, never told, no ticket, no service state.';
COMMENT ON COLUMN shadow_fault.alone IS 'It would have spoken for itself at some time';
CREATE INDEX shadow_fault_rule ON shadow_fault (rule, fired_at DESC);

REVOKE ALL ON shadow_fault FROM tellergrid_scoped, tellergrid_whole;
