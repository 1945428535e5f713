-- Notifications: what is to be told to whom, kept until it is told. Written by the api.

CREATE TABLE notification (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    cause text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('assigned', 'warning', 'breached', 'report')),
    recipient text NOT NULL,
    channel text NOT NULL,
    facts jsonb NOT NULL,
    state text NOT NULL DEFAULT 'waiting' CHECK (state IN (
        'waiting', 'sending', 'sent', 'given_up', 'uncertain')),
    created_at timestamptz NOT NULL DEFAULT now(),
    due_at timestamptz NOT NULL,
    delivery uuid,
    attempts integer NOT NULL DEFAULT 0,
    ended_at timestamptz,
    error text,
    UNIQUE (cause, recipient, channel)
);
COMMENT ON COLUMN notification.cause IS 'What happened; it is told once to a recipient over a channel';
COMMENT ON COLUMN notification.state IS
    'uncertain: the process died while it was sending over a channel that cannot tell doubles';
COMMENT ON COLUMN notification.delivery IS
    'The message it goes out in, the same at each attempt; a digest is several in one';
CREATE INDEX notification_due ON notification (due_at) WHERE state IN ('waiting', 'sending');
CREATE INDEX notification_delivery ON notification (delivery) WHERE state IN ('waiting', 'sending');

CREATE TABLE notification_place (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    tx xid8 NOT NULL,
    key bigint NOT NULL
);
COMMENT ON TABLE notification_place IS
    'Up to where the history of tickets was read, in the order (transaction, row).';
INSERT INTO notification_place (tx, key) VALUES (pg_snapshot_xmin(pg_current_snapshot()), 0);

-- They are for the notifier, and for operations to look at.
CALL guard('notification', 'false');
CALL guard('notification_place', 'false');
REVOKE INSERT, UPDATE, DELETE ON notification, notification_place FROM tellergrid_scoped;
