-- Accounts, for admins.

-- name: accounts
-- By username, after a username; one when `username` is given.
SELECT account.username, account.role, account.service, technician.code AS technician,
    account.created_at, account.disabled_at,
    (SELECT count(*) FROM session
        WHERE session.account_id = account.id AND session.ended_at IS NULL
            AND session.expires_at > now()) AS sessions
FROM account LEFT JOIN technician ON technician.id = account.technician_id
WHERE account.username = coalesce(%(username)s::text, account.username)
    AND account.username > coalesce(%(after)s::text, '')
ORDER BY account.username
LIMIT %(rows)s;

-- name: lock
-- Of names that are alike one account is made at a time.
SELECT pg_advisory_xact_lock(hashtextextended('account ' || %(folded)s::text, 0));

-- name: alike
-- Another name that reads the same: full width is as plain, upper case as lower case.
SELECT username FROM account
WHERE lower(normalize(username, NFKC) COLLATE "C") = %(folded)s AND username <> %(username)s
ORDER BY username
LIMIT 1;

-- name: create
INSERT INTO account (username, password_hash, role, service, technician_id)
SELECT %(username)s, %(password_hash)s, %(role)s, %(service)s, technician.id
FROM (VALUES (%(technician)s::text)) AS wanted (code)
LEFT JOIN technician ON technician.code = wanted.code
WHERE wanted.code IS NULL OR technician.id IS NOT NULL;

-- name: change
UPDATE account
SET password_hash = coalesce(%(password_hash)s, password_hash),
    disabled_at = CASE WHEN %(disabled)s THEN coalesce(disabled_at, now())
        WHEN %(disabled)s IS NULL THEN disabled_at END
WHERE username = %(username)s;

-- name: admins
-- Who can enable an account, locked: whoever disables one of them meanwhile waits, and looks anew.
SELECT username FROM account WHERE role = 'admin' AND disabled_at IS NULL
ORDER BY id
FOR NO KEY UPDATE;
