-- By when a birth was said a last will that comes after it is known as that of the connection before:
-- whoever reads a region back within the minute knows it too.

ALTER TABLE presence ADD COLUMN said_at timestamptz;
COMMENT ON COLUMN presence.said_at IS 'Of a birth: by the terminal''s clock; null: of a will, or of before it was kept';
