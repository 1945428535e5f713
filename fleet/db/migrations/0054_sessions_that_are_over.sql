-- Sessions that are over go, and their refresh tokens with them: there was one more for each refresh,
-- for ever. A token that comes again is told of only while its session goes on.

ALTER TABLE refresh_token DROP CONSTRAINT refresh_token_session_id_fkey,
    ADD FOREIGN KEY (session_id) REFERENCES session (id) ON DELETE CASCADE;
CREATE INDEX refresh_token_session ON refresh_token (session_id);
GRANT DELETE ON session TO tellergrid_whole;
