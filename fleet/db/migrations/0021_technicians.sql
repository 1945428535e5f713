-- Technicians as dispatch needs them, and why it chose whom. Written by the api.

ALTER TABLE technician
    ADD lines smallint[] NOT NULL DEFAULT '{1,2}'
        CHECK (cardinality(lines) > 0 AND lines <@ '{1,2}'),
    ADD home_latitude double precision CHECK (home_latitude BETWEEN -90 AND 90),
    ADD home_longitude double precision CHECK (home_longitude BETWEEN -180 AND 180),
    ADD zone text NOT NULL DEFAULT 'UTC',
    ADD most_visits smallint NOT NULL DEFAULT 8 CHECK (most_visits BETWEEN 1 AND 100),
    ADD CHECK ((home_latitude IS NULL) = (home_longitude IS NULL));
COMMENT ON COLUMN technician.lines IS '1 is branch staff, 2 a field engineer';
COMMENT ON COLUMN technician.zone IS 'IANA time zone: shifts are of its wall clock';
COMMENT ON COLUMN technician.most_visits IS 'How many sites they may have to go to at a time';

CREATE TABLE technician_shift (
    technician_id integer NOT NULL REFERENCES technician (id),
    weekday smallint NOT NULL CHECK (weekday BETWEEN 1 AND 7),
    begins_minute smallint NOT NULL CHECK (begins_minute >= 0),
    ends_minute smallint NOT NULL CHECK (ends_minute <= 1440),
    PRIMARY KEY (technician_id, weekday, begins_minute),
    CHECK (begins_minute < ends_minute)
);
COMMENT ON TABLE technician_shift IS 'When they work; with no row at all, always. 1 is Monday.';

CREATE TABLE technician_absence (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    technician_id integer NOT NULL REFERENCES technician (id),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reason text NOT NULL,
    author text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK (begins_at < ends_at)
);
CREATE INDEX technician_absence_technician ON technician_absence (technician_id, ends_at);

CREATE TABLE technician_position (
    technician_id integer PRIMARY KEY REFERENCES technician (id),
    latitude double precision NOT NULL CHECK (latitude BETWEEN -90 AND 90),
    longitude double precision NOT NULL CHECK (longitude BETWEEN -180 AND 180),
    at timestamptz NOT NULL
);
COMMENT ON TABLE technician_position IS 'Where a technician''s device was last: the newest alone is kept.';

CREATE TABLE dispatch_choice (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES ticket (id),
    at timestamptz NOT NULL DEFAULT now(),
    actor text NOT NULL,
    technician_id integer REFERENCES technician (id),
    reason text NOT NULL,
    considered jsonb NOT NULL
);
COMMENT ON TABLE dispatch_choice IS 'Every choice of whom to send, with all who were considered, what spoke against them and what they cost.';
COMMENT ON COLUMN dispatch_choice.technician_id IS 'Null where nobody was sent';
CREATE INDEX dispatch_choice_ticket ON dispatch_choice (ticket_id, id);

CREATE TABLE dispatch_look (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    at timestamptz NOT NULL DEFAULT now(),
    seen text NOT NULL
);
COMMENT ON TABLE dispatch_look IS 'What dispatch last looked at: while all of it is the same there is nothing to choose.';

CALL guard('technician_shift',
    'EXISTS (SELECT FROM technician WHERE technician.id = technician_id)');
CALL guard('technician_absence',
    'EXISTS (SELECT FROM technician WHERE technician.id = technician_id)');
CALL guard('technician_position', 'technician_id = (SELECT account.technician_id FROM account'
    ' WHERE account.id = scope_account())');
CALL guard('dispatch_choice', 'EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id)');
REVOKE ALL ON dispatch_look FROM tellergrid_scoped;
REVOKE INSERT, UPDATE, DELETE ON technician_shift, technician_absence, dispatch_choice
    FROM tellergrid_scoped;

CALL keep_audit_of('technician_shift');
CALL keep_audit_of('technician_absence');
