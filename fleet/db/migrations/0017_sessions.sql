-- Signing in: sessions that can be ended, refresh tokens that are used once, failures that count.

ALTER TABLE account ADD service boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN account.service IS 'A program: it signs in with a secret, and is given no refresh';

CREATE TABLE session (
    id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    account_id integer NOT NULL REFERENCES account (id),
    origin text NOT NULL,
    began_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    ended_because text CHECK (ended_because IN ('signed_out', 'revoked', 'reused')),
    CHECK ((ended_at IS NULL) = (ended_because IS NULL))
);
COMMENT ON COLUMN session.ended_because IS
    'reused: a refresh token came a second time, so somebody else has it too';
CREATE INDEX session_account ON session (account_id);

CREATE TABLE refresh_token (
    hash bytea PRIMARY KEY,
    session_id uuid NOT NULL REFERENCES session (id),
    issued_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz
);
COMMENT ON TABLE refresh_token IS 'SHA-256 of each token that was given out; each is good once.';

CREATE TABLE sign_in_attempt (
    subject text NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE sign_in_attempt IS
    'Attempts that did not succeed, by username and by address: whoever has too many must wait.';
CREATE INDEX sign_in_attempt_subject ON sign_in_attempt (subject, at);

CALL guard('session', 'account_id = scope_account()');
CREATE POLICY signing_in ON session TO tellergrid_api USING (true);
REVOKE ALL ON refresh_token, sign_in_attempt FROM tellergrid_scoped, tellergrid_whole;
REVOKE INSERT, UPDATE, DELETE ON session FROM tellergrid_scoped;
REVOKE INSERT, DELETE ON session FROM tellergrid_whole;
GRANT UPDATE (ended_at, ended_because) ON session TO tellergrid_scoped;
GRANT SELECT, INSERT, UPDATE ON session, refresh_token TO tellergrid_api;
GRANT SELECT, INSERT, DELETE ON sign_in_attempt TO tellergrid_api;
GRANT DELETE, SELECT ON sign_in_attempt TO tellergrid_whole;
CALL keep_audit_of('session');
