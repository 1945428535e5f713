-- Since when a fault was gone that a ticket's history tells of: the clock of restoring stood still
-- from then on, and not only since it was noticed. What was noted before this tells it by `at`.

ALTER TABLE ticket_transition ADD recovered_at timestamptz;
COMMENT ON COLUMN ticket_transition.recovered_at IS
    'With `recover`: since when telemetry says that the fault is gone';
