-- Monthly reports, every version that was ever made. Written by the api.

CREATE TABLE report (
    month text NOT NULL CHECK (month ~ '^\d{4}-\d{2}$'),
    zone text NOT NULL,
    version integer NOT NULL CHECK (version >= 1),
    digest text NOT NULL,
    figures jsonb NOT NULL,
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (month, zone, version)
);
COMMENT ON TABLE report IS 'Rows are added, never changed: what was said stays said.';
COMMENT ON COLUMN report.digest IS 'SHA-256 of the figures; made again with the same one it is no new version';

-- It is of every cell: who has a scope does not see it.
CALL guard('report', 'false');
