-- Which catalogues were in force, and which one the stored state was judged by. Written by the
-- collector.

CREATE TABLE catalogue (
    identity text PRIMARY KEY,
    version text NOT NULL,
    digest text NOT NULL,
    content jsonb NOT NULL,
    first_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE catalogue IS 'Every rule catalogue that ever judged: what fault.catalogue names.';
COMMENT ON COLUMN catalogue.content IS 'Its rules and overrides, every default spelled out';

CREATE TABLE region_catalogue (
    region_code text PRIMARY KEY REFERENCES region (code),
    identity text NOT NULL REFERENCES catalogue (identity),
    since timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE region_catalogue IS 'By which catalogue the holds and states of a region were judged last.';

REVOKE ALL ON catalogue, region_catalogue FROM tellergrid_scoped, tellergrid_whole;
