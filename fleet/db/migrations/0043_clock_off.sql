-- A clock that was set and has not come right is known after a restart: the setting is noted once.

ALTER TABLE terminal_state ADD COLUMN clock_off boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN terminal_state.clock_off IS
    'The terminal''s clock was set (clock_jump) and has not come right again.';
