-- What is asked of few faults is found without reading all there ever were: what happened to one, those of
-- a rule, those that another one spoke for, and our own outages, of which one is looked for by each region
-- in turn whenever the broker is away.

CREATE INDEX fault_change_fault ON fault_change (fault_id, id);
CREATE INDEX fault_rule ON fault (rule, started_at DESC, id DESC);
CREATE INDEX fault_spoken_for ON fault (suppressed_by) WHERE suppressed_by IS NOT NULL;
CREATE INDEX fault_platform ON fault (started_at) WHERE scope = 'platform';
