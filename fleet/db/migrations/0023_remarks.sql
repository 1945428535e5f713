-- What people add to a ticket: comments, work notes, files. And finding tickets by their words.

CREATE TABLE ticket_remark (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES ticket (id),
    kind text NOT NULL CHECK (kind IN ('comment', 'work_note')),
    text text NOT NULL,
    author text NOT NULL,
    device_at timestamptz,
    at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX ticket_remark_ticket ON ticket_remark (ticket_id, id);
CREATE INDEX ticket_remark_words ON ticket_remark USING gin (to_tsvector('simple', text));

CREATE TABLE ticket_attachment (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id integer NOT NULL REFERENCES ticket (id),
    name text NOT NULL,
    media_type text NOT NULL,
    size integer NOT NULL,
    sha256 text NOT NULL,
    content bytea NOT NULL,
    author text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE ticket_attachment ALTER content SET STORAGE EXTERNAL;  -- photos are compressed already
CREATE INDEX ticket_attachment_ticket ON ticket_attachment (ticket_id, id);

CALL guard('ticket_remark', 'EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id)');
CALL guard('ticket_attachment', 'EXISTS (SELECT FROM ticket WHERE ticket.id = ticket_id)');
REVOKE UPDATE, DELETE ON ticket_remark, ticket_attachment FROM tellergrid_scoped, tellergrid_whole;
CALL keep_audit_of('ticket_remark');
CALL keep_audit_of('ticket_attachment', 'content');

CREATE FUNCTION ticket_words(title text, remedy text, subject text, rule text, component text)
RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('simple'::regconfig, concat_ws(' ', title, remedy, subject, rule, component));
CREATE INDEX ticket_words ON ticket
    USING gin (ticket_words(title, remedy, subject, rule, component));
