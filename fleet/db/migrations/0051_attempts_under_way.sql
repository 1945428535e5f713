-- Attempts to sign in that are under way are told from those that failed: who comes as the last of
-- several side by side is to wait for seconds, and not for a quarter of an hour.

ALTER TABLE sign_in_attempt ADD failed boolean NOT NULL DEFAULT false;
COMMENT ON TABLE sign_in_attempt IS
    'Attempts that have not succeeded, by username and by address: whoever has too many must wait.';
COMMENT ON COLUMN sign_in_attempt.failed IS 'Else it is under way, or its process died meanwhile';
UPDATE sign_in_attempt SET failed = true;
GRANT UPDATE (failed) ON sign_in_attempt TO tellergrid_api;
