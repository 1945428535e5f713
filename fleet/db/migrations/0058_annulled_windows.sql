-- A window that was planned by mistake counts nowhere, nor ever did: its times go, and stay on record
-- in what it says of itself. Taken back, what was of it stays.

ALTER TABLE planned_window ADD annulled_at timestamptz, ADD annulled_by text, ADD annulled_because text,
    ADD CHECK (num_nulls(annulled_at, annulled_by, annulled_because) IN (0, 3)),
    ADD CHECK (annulled_at IS NULL OR ended_at IS NOT NULL);
COMMENT ON COLUMN planned_window.annulled_at IS 'Since when it counts as if it had never been planned';
