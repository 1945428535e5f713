-- Who serves a region, and when nobody saw it. Written by the collector.

CREATE TABLE region_service (
    region_code text PRIMARY KEY REFERENCES region (code) ON DELETE CASCADE,
    collector text NOT NULL,
    epoch bigint NOT NULL DEFAULT 1,
    taken_at timestamptz NOT NULL DEFAULT now(),
    seen_until timestamptz
);
COMMENT ON TABLE region_service IS 'Who took each region last. Whether that one still holds it is said by the advisory lock.';
COMMENT ON COLUMN region_service.epoch IS 'Grows with each taking: a write under an older one is refused.';
COMMENT ON COLUMN region_service.seen_until IS 'Up to when everything that was said has been heard and stored; noted every other second.';

CREATE TABLE blindness (
    region_code text NOT NULL REFERENCES region (code) ON DELETE CASCADE,
    period tstzrange NOT NULL CHECK (NOT isempty(period) AND NOT lower_inf(period) AND NOT upper_inf(period)),
    cause text NOT NULL CHECK (cause IN ('collector', 'broker', 'database', 'backlog')),
    EXCLUDE USING gist (region_code WITH =, period WITH &&)
);
COMMENT ON TABLE blindness IS 'Our own outages: no terminal of the region is called silent for them, and its state in them is unknown.';
COMMENT ON COLUMN blindness.cause IS 'What was away first; backlog: connected, and behind what was said.';

CREATE VIEW blind WITH (security_invoker = true) AS
SELECT region_code, period, cause FROM blindness
UNION ALL
SELECT region_code, tstzrange(seen_until, NULL), NULL
FROM region_service
WHERE seen_until < now() - interval '10 seconds';
COMMENT ON VIEW blind IS 'All blindness, the one that lasts included: its end is open and its cause not known yet.';

-- Callers read them and write nothing here.
REVOKE INSERT, UPDATE, DELETE ON region_service, blindness, blind
    FROM tellergrid_scoped, tellergrid_whole;
