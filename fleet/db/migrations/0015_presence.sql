-- What was said of connections, kept like telemetry: rules are tried on it and faults explained by
-- it. Written by the collector.

CREATE TABLE presence (
    arrived_at timestamptz NOT NULL,
    terminal_id integer NOT NULL,
    boot integer NOT NULL,
    online boolean NOT NULL,
    retained boolean NOT NULL
);
COMMENT ON TABLE presence IS 'Births and last wills as they arrived.';
COMMENT ON COLUMN presence.retained IS 'The broker''s memory, not a sign of life';
SELECT create_hypertable('presence', by_range('arrived_at', INTERVAL '7 days'), create_default_indexes => false);
CREATE INDEX presence_terminal ON presence (terminal_id, arrived_at DESC);

REVOKE ALL ON presence FROM tellergrid_scoped, tellergrid_whole;
GRANT SELECT ON presence, catalogue TO tellergrid_whole;
