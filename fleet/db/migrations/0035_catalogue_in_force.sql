-- Which catalogue was in force in a region, from when on: what was decided then, or was not, is
-- explained by it. Written by the collector. Before this migration only the last one is known.

CREATE TABLE catalogue_in_force (
    region_code text NOT NULL REFERENCES region (code),
    since timestamptz NOT NULL,
    identity text NOT NULL REFERENCES catalogue (identity),
    PRIMARY KEY (region_code, since)
);
COMMENT ON TABLE catalogue_in_force IS 'By which catalogue a region was judged, until the next row.';

INSERT INTO catalogue_in_force (region_code, since, identity)
SELECT region_code, since, identity FROM region_catalogue;

REVOKE ALL ON catalogue_in_force FROM tellergrid_scoped, tellergrid_whole;
GRANT SELECT ON catalogue_in_force TO tellergrid_whole;
