-- Severity that changes while a fault is open. The fault's is written by the collector, the ticket
-- follows it by the api.

ALTER TABLE fault_change DROP CONSTRAINT fault_change_change_check;
ALTER TABLE fault_change ADD CONSTRAINT fault_change_change_check CHECK (change IN (
    'fired', 'escalated', 'eased', 'cleared', 'suppressed', 'released', 'flapping', 'steady'));
ALTER TABLE fault_change ADD COLUMN severity text
    CHECK (severity IN ('critical', 'major', 'minor', 'warning'));
COMMENT ON COLUMN fault_change.severity IS 'With `escalated` and `eased`: what it is from then on';
COMMENT ON COLUMN fault.severity IS 'As it is now, or was when it cleared: stages may have changed it';

ALTER TABLE ticket_transition ADD COLUMN severity_before text
    CHECK (severity_before IN ('critical', 'major', 'minor', 'warning'));
COMMENT ON COLUMN ticket_transition.severity_before IS
    'With `rate`: how severe the ticket was until then';
