-- Which state of the map put a terminal into its cell, and what working on it takes. Written by the api.

CREATE TABLE grid_version (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    author text NOT NULL,
    reason text NOT NULL,
    added text[] NOT NULL,
    changed text[] NOT NULL,
    ended text[] NOT NULL
);
COMMENT ON TABLE grid_version IS 'Every change of the map; what each cell was is in cell_version.';
COMMENT ON COLUMN grid_version.added IS 'Codes of cells, as in the columns after it';
CALL guard('grid_version', 'false');
REVOKE INSERT, UPDATE, DELETE ON grid_version FROM tellergrid_scoped;
CALL keep_audit_of('grid_version');

ALTER TABLE terminal_cell ADD version integer REFERENCES grid_version (id);
COMMENT ON COLUMN terminal_cell.version IS 'The map that was in force when it was decided; null where none was drawn yet';

ALTER TABLE terminal ADD skills text[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN terminal.skills IS 'What whoever works on it must know, besides what the fault takes';
