-- Sessions and what continues them.

-- name: begin
-- Nothing where the account is not as it was when its password was looked at.
INSERT INTO session (account_id, origin, expires_at)
SELECT id, %(origin)s, now() + %(lasting)s
FROM account
WHERE username = %(username)s AND password_hash = %(password_hash)s AND disabled_at IS NULL
RETURNING id;

-- name: issue_refresh
INSERT INTO refresh_token (hash, session_id) VALUES (%(hash)s, %(session)s);

-- name: presented
-- A refresh token, locked: of two at the same time the second is the one too many.
SELECT session.id AS session_id, account.username, account.role,
    refresh_token.used_at IS NOT NULL AS used,
    session.ended_at IS NULL AND session.expires_at > now()
        AND account.disabled_at IS NULL AS good
FROM refresh_token
JOIN session ON session.id = refresh_token.session_id
JOIN account ON account.id = session.account_id
WHERE refresh_token.hash = %(hash)s
FOR UPDATE OF refresh_token;

-- name: use_refresh
UPDATE refresh_token SET used_at = now() WHERE hash = %(hash)s;

-- name: end
UPDATE session SET ended_at = now(), ended_because = %(because)s
WHERE id = %(session)s AND ended_at IS NULL;

-- name: end_all
UPDATE session SET ended_at = now(), ended_because = %(because)s
FROM account
WHERE account.id = session.account_id AND account.username = %(username)s
    AND session.ended_at IS NULL AND session.expires_at > now();

-- name: forget
-- With their refresh tokens: of a session that is over none is good, whether it comes again or not.
-- A day is longer than any transaction that saw it go on. The audit keeps when it was, and whose.
DELETE FROM session WHERE least(ended_at, expires_at) < now() - interval '1 day';
