-- Service levels: what is promised, by severity and cell. Written by the api.

CREATE TABLE sla_calendar (
    code text PRIMARY KEY,
    zone text NOT NULL
);
COMMENT ON COLUMN sla_calendar.zone IS 'IANA time zone, as in Asia/Shanghai: hours are of its wall clock';

CREATE TABLE sla_hours (
    calendar_code text NOT NULL REFERENCES sla_calendar (code),
    weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    opens_minute smallint NOT NULL CHECK (opens_minute >= 0),
    closes_minute smallint NOT NULL CHECK (closes_minute <= 1440),
    PRIMARY KEY (calendar_code, weekday, opens_minute),
    CHECK (opens_minute < closes_minute)
);
COMMENT ON COLUMN sla_hours.weekday IS '1 is Monday, 7 is Sunday';

CREATE TABLE sla_holiday (
    calendar_code text NOT NULL REFERENCES sla_calendar (code),
    day date NOT NULL,
    PRIMARY KEY (calendar_code, day)
);

CREATE TABLE sla (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    severity text NOT NULL CHECK (severity IN ('critical', 'major', 'minor', 'warning')),
    cell_code text REFERENCES cell (code),
    valid_from timestamptz NOT NULL DEFAULT now(),
    calendar_code text NOT NULL REFERENCES sla_calendar (code),
    response_minutes integer NOT NULL CHECK (response_minutes BETWEEN 1 AND 525600),
    arrival_minutes integer NOT NULL CHECK (arrival_minutes BETWEEN 1 AND 525600),
    restore_minutes integer NOT NULL CHECK (restore_minutes BETWEEN 1 AND 525600),
    warn_share double precision NOT NULL DEFAULT 0.75 CHECK (warn_share > 0 AND warn_share < 1),
    pausing text[] NOT NULL DEFAULT '{parts,access,customer}',
    chain text[] NOT NULL DEFAULT '{operations,admin}' CHECK (cardinality(chain) > 0),
    UNIQUE NULLS NOT DISTINCT (severity, cell_code, valid_from)
);
COMMENT ON TABLE sla IS 'A promise is changed by a later row: tickets keep the one they were raised under.';
COMMENT ON COLUMN sla.cell_code IS 'With all cells below it; null is everywhere. The nearest one counts.';
COMMENT ON COLUMN sla.pausing IS 'The reasons of holds that stop the clocks.';
COMMENT ON COLUMN sla.chain IS 'Who hears: of a warning the first, of a breach the second.';

INSERT INTO sla_calendar (code, zone) VALUES ('always', 'UTC'), ('weekdays', 'Asia/Shanghai');
INSERT INTO sla_hours SELECT 'always', weekday, 0, 1440 FROM generate_series(1, 7) AS weekday;
INSERT INTO sla_hours SELECT 'weekdays', weekday, 480, 1200 FROM generate_series(1, 5) AS weekday;
INSERT INTO sla (
    severity, valid_from, calendar_code, response_minutes, arrival_minutes, restore_minutes)
VALUES ('critical', '2000-01-01 00:00Z', 'always', 15, 90, 240),
    ('major', '2000-01-01 00:00Z', 'always', 30, 180, 480),
    ('minor', '2000-01-01 00:00Z', 'weekdays', 120, 720, 1440),
    ('warning', '2000-01-01 00:00Z', 'weekdays', 720, 1440, 2880);
