-- Whoever had a ticket is told what became of it; at once where they are under way.

ALTER TABLE notification DROP CONSTRAINT notification_kind_check;
ALTER TABLE notification ADD CONSTRAINT notification_kind_check CHECK (kind IN (
    'assigned', 'changed', 'under_way', 'warning', 'breached', 'report'));
