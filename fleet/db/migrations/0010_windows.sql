-- When terminals are meant to serve, when they are worked on, when nobody is to be called; what was
-- corrected by hand; what was published. Written by the api.

CREATE TABLE service_schedule (
    code text PRIMARY KEY,
    name text NOT NULL,
    zone text NOT NULL,
    author text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expanded_to timestamptz NOT NULL DEFAULT '-infinity'
);
COMMENT ON COLUMN service_schedule.zone IS 'IANA time zone: hours are of its wall clock';
COMMENT ON COLUMN service_schedule.expanded_to IS 'How far `service_closing` is written';

CREATE TABLE service_schedule_week (
    schedule_code text NOT NULL REFERENCES service_schedule (code),
    weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    open int4multirange NOT NULL CHECK (open <@ '{[0,1440)}'::int4multirange),
    PRIMARY KEY (schedule_code, weekday)
);
COMMENT ON COLUMN service_schedule_week.weekday IS '1 is Monday; a weekday that is left out is closed';
COMMENT ON COLUMN service_schedule_week.open IS 'Minutes of the day; overlapping hours are one';

CREATE TABLE service_schedule_day (
    schedule_code text NOT NULL REFERENCES service_schedule (code),
    day date NOT NULL,
    open int4multirange NOT NULL CHECK (open <@ '{[0,1440)}'::int4multirange),
    author text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (schedule_code, day)
);
COMMENT ON TABLE service_schedule_day IS 'Days unlike others of their weekday; holidays have no hours.';

CREATE TABLE service_schedule_use (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    schedule_code text NOT NULL REFERENCES service_schedule (code),
    terminal_id integer REFERENCES terminal (id),
    cell_code text REFERENCES cell (code),
    kind text,
    valid tstzrange NOT NULL CHECK (NOT isempty(valid) AND NOT lower_inf(valid)),
    author text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (num_nonnulls(terminal_id, cell_code, kind) = 1),
    EXCLUDE USING gist (terminal_id WITH =, valid WITH &&),
    EXCLUDE USING gist (cell_code WITH =, valid WITH &&),
    EXCLUDE USING gist (kind WITH =, valid WITH &&)
);
COMMENT ON TABLE service_schedule_use IS
    'Who serves by it, when. A terminal''s own comes first, then that of the deepest cell it is in, then its kind''s.';

CREATE TABLE service_closing (
    schedule_code text NOT NULL REFERENCES service_schedule (code),
    period tstzrange NOT NULL CHECK (NOT isempty(period)),
    EXCLUDE USING gist (schedule_code WITH =, period WITH &&)
);
COMMENT ON TABLE service_closing IS 'When a schedule is closed, as its hours and days say, up to `expanded_to`.';

CREATE TABLE planned_window (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    purpose text NOT NULL CHECK (purpose IN ('maintenance', 'silence')),
    terminal_id integer REFERENCES terminal (id),
    cell_code text REFERENCES cell (code),
    kind text,
    component text CHECK (purpose = 'silence' OR component IS NULL),
    first tstzrange NOT NULL CHECK (NOT (isempty(first) OR lower_inf(first) OR upper_inf(first))),
    repeat text CHECK (repeat IN ('daily', 'weekly', 'monthly')),
    weekdays smallint[] NOT NULL DEFAULT '{}',
    zone text NOT NULL,
    until timestamptz,
    author text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    ended_by text,
    expanded_to timestamptz NOT NULL DEFAULT '-infinity',
    CHECK (num_nonnulls(terminal_id, cell_code, kind, component) > 0)
);
COMMENT ON TABLE planned_window IS
    'What it is about is all that is named: a cell and a kind mean that kind in that cell and below.';
COMMENT ON COLUMN planned_window.ended_at IS 'Taken back: what was before stays';

CREATE TABLE planned_occurrence (
    window_id integer NOT NULL REFERENCES planned_window (id),
    period tstzrange NOT NULL CHECK (NOT isempty(period)),
    PRIMARY KEY (window_id, period)
);
COMMENT ON TABLE planned_occurrence IS 'The times of a window, up to `expanded_to`.';
CREATE INDEX planned_occurrence_period ON planned_occurrence USING gist (period);

CREATE TABLE service_correction (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    terminal_id integer NOT NULL REFERENCES terminal (id),
    state text NOT NULL CHECK (state IN (
        'planned_maintenance', 'out_of_schedule', 'unknown', 'offline', 'supervisor',
        'out_of_service', 'cash_out', 'degraded', 'in_service')),
    period tstzrange NOT NULL CHECK (NOT (isempty(period) OR lower_inf(period) OR upper_inf(period))),
    author text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    withdrawn_at timestamptz,
    withdrawn_by text
);
COMMENT ON TABLE service_correction IS
    'What a person says instead of what is recorded, which stays as it is; the latest one holds.';
CREATE INDEX service_correction_terminal ON service_correction USING gist (terminal_id, period)
    WHERE withdrawn_at IS NULL;

CREATE TABLE published_figure (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL,
    period tstzrange NOT NULL CHECK (NOT isempty(period)),
    zone text NOT NULL,
    version integer NOT NULL CHECK (version > 0),
    body jsonb NOT NULL,
    digest text NOT NULL,
    published_at timestamptz NOT NULL DEFAULT now(),
    author text NOT NULL,
    reason text NOT NULL,
    UNIQUE (name, period, zone, version)
);
COMMENT ON TABLE published_figure IS
    'What was told to somebody. It is never changed: figures that came out otherwise are its next version.';
COMMENT ON COLUMN published_figure.name IS 'What the figures are of, as `report` or `uptime:C001`';

-- Who sees some cells sees what touches them: theirs, those above, what is of no place.
CALL guard('planned_window', 'num_nonnulls(terminal_id, cell_code) = 0'
    ' OR cell_code = ANY ((SELECT scope_reach())::text[])'
    ' OR EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = planned_window.terminal_id)');
CALL guard('planned_occurrence',
    'EXISTS (SELECT FROM planned_window WHERE planned_window.id = window_id)');
CALL guard('service_schedule_use', 'kind IS NOT NULL'
    ' OR cell_code = ANY ((SELECT scope_reach())::text[])'
    ' OR EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = service_schedule_use.terminal_id)');
CALL guard('service_correction', 'EXISTS (SELECT FROM terminal_cell'
    ' WHERE terminal_cell.terminal_id = service_correction.terminal_id)');
CALL guard('published_figure', 'false');
REVOKE INSERT, UPDATE, DELETE ON service_schedule, service_schedule_week, service_schedule_day,
    service_schedule_use, service_closing, planned_window, planned_occurrence, service_correction,
    published_figure FROM tellergrid_scoped;
