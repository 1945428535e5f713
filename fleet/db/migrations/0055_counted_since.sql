-- When a terminal went bad, by our clock, is kept from when it did: a quorum `within` made it anew
-- of the lag that the terminal had whenever the cell was asked.

ALTER TABLE hold ADD COLUMN counted_at timestamptz;
COMMENT ON COLUMN hold.counted_at IS
    'Since when cells count it, by our clock; NULL of a cell''s, and of one from before this';
