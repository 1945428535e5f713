-- The grid: regions, cells, terminals, and who may see them. Written by the api.

CREATE EXTENSION IF NOT EXISTS timescaledb;
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE region (
    code text PRIMARY KEY,
    name text NOT NULL
);
COMMENT ON TABLE region IS 'The bank''s stable organisational unit: of access, ordering and scale-out.';

CREATE TABLE cell (
    code text PRIMARY KEY,
    name text NOT NULL,
    level smallint NOT NULL CHECK (level >= 0),
    parent_code text REFERENCES cell (code),
    boundary jsonb NOT NULL,
    valid_from timestamptz NOT NULL DEFAULT now(),
    valid_to timestamptz CHECK (valid_to > valid_from),
    CHECK ((level = 0) = (parent_code IS NULL))
);
COMMENT ON COLUMN cell.boundary IS 'GeoJSON geometry, WGS 84';
COMMENT ON COLUMN cell.level IS '0 is the top; the tree is by parent_code, not by geometry';
CREATE INDEX cell_parent ON cell (parent_code);

-- Where a terminal is that no cell holds: it must have a place to be seen and serviced from.
INSERT INTO cell (code, name, level, boundary)
VALUES ('UNASSIGNED', 'Unassigned', 0, '{"type": "MultiPolygon", "coordinates": []}');

CREATE TABLE terminal (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    kind text NOT NULL CHECK (kind IN ('atm', 'recycler', 'kiosk')),
    vendor text NOT NULL,
    model text NOT NULL,
    region_code text NOT NULL REFERENCES region (code),
    site text NOT NULL,
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    commissioned_at timestamptz NOT NULL,
    decommissioned_at timestamptz CHECK (decommissioned_at > commissioned_at)
);
COMMENT ON COLUMN terminal.code IS 'The id on the wire; terminal.id is the short key of every other table';
CREATE INDEX terminal_region ON terminal (region_code);

CREATE TABLE terminal_cell (
    terminal_id integer NOT NULL REFERENCES terminal (id),
    cell_code text NOT NULL REFERENCES cell (code),
    valid tstzrange NOT NULL CHECK (NOT isempty(valid)),
    method text NOT NULL CHECK (method IN ('override', 'polygon', 'unassigned')),
    EXCLUDE USING gist (terminal_id WITH =, valid WITH &&)
);
COMMENT ON TABLE terminal_cell IS 'Which cell a terminal belonged to, when: last year''s uptime is last year''s grid.';
CREATE INDEX terminal_cell_cell ON terminal_cell (cell_code, terminal_id);

CREATE TABLE technician (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    code text NOT NULL UNIQUE,
    name text NOT NULL,
    skills text[] NOT NULL DEFAULT '{}'
);

CREATE TABLE technician_cell (
    technician_id integer NOT NULL REFERENCES technician (id),
    cell_code text NOT NULL REFERENCES cell (code),
    PRIMARY KEY (technician_id, cell_code)
);
CREATE INDEX technician_cell_cell ON technician_cell (cell_code);

CREATE TABLE account (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('technician', 'operations', 'tester', 'admin')),
    technician_id integer UNIQUE REFERENCES technician (id),
    created_at timestamptz NOT NULL DEFAULT now(),
    disabled_at timestamptz,
    CHECK ((role = 'technician') = (technician_id IS NOT NULL))
);
COMMENT ON COLUMN account.password_hash IS 'Argon2id in PHC string format';

-- A cell with its ancestors and itself: scope and assignment look upwards, uptime looks downwards.
CREATE VIEW cell_ancestor AS
WITH RECURSIVE up (cell_code, ancestor_code, distance) AS (
    SELECT code, code, 0 FROM cell
    UNION ALL
    SELECT up.cell_code, cell.parent_code, up.distance + 1
    FROM up JOIN cell ON cell.code = up.ancestor_code
    WHERE cell.parent_code IS NOT NULL
)
SELECT cell_code, ancestor_code, distance FROM up;

CREATE FUNCTION cell_family(of_cell text) RETURNS SETOF text
LANGUAGE sql STABLE STRICT ROWS 20
BEGIN ATOMIC
    WITH RECURSIVE family (code) AS (
        SELECT cell.code FROM cell WHERE cell.code = of_cell
        UNION ALL
        SELECT cell.code FROM family JOIN cell ON cell.parent_code = family.code
    )
    SELECT code FROM family;
END;
COMMENT ON FUNCTION cell_family IS 'The code of a cell and of all below it';
