-- A number that is stored and comes with another message is set aside, not dropped as a duplicate.

ALTER TABLE quarantine DROP CONSTRAINT quarantine_reason_check;
ALTER TABLE quarantine ADD CONSTRAINT quarantine_reason_check CHECK (reason IN (
    'malformed', 'oversized', 'wrong_topic', 'unknown_terminal', 'far_future', 'far_past',
    'card_number', 'number_reused'));
