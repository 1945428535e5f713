-- What shows that work was done; and how far a notification had come when a process died.

ALTER TABLE ticket_transition ADD photos bigint[];
COMMENT ON COLUMN ticket_transition.photos IS 'With `resolve`: attachments of the ticket that show it';

ALTER TABLE notification ADD handed_over_at timestamptz;
COMMENT ON COLUMN notification.handed_over_at IS
    'When this attempt began to leave us: before that, nobody can have been told';
COMMENT ON COLUMN notification.state IS
    'uncertain: the process died while it handed over to a channel that cannot tell doubles';
CREATE INDEX notification_newest ON notification (id DESC) WHERE state IN ('given_up', 'uncertain');
