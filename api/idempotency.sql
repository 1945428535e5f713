-- Answers kept for requests that are sent again.

-- name: claim
-- Waits for the end of another transaction that has taken the same key.
INSERT INTO idempotency_key (account_id, key, request)
VALUES (%(account)s, %(key)s, %(request)s)
ON CONFLICT DO NOTHING;

-- name: kept
SELECT request, status, headers, body
FROM idempotency_key
WHERE account_id = %(account)s AND key = %(key)s;

-- name: keep
UPDATE idempotency_key SET status = %(status)s, headers = %(headers)s, body = %(body)s
WHERE account_id = %(account)s AND key = %(key)s;

-- name: forget
-- A device that was out of reach for a month has been given up.
DELETE FROM idempotency_key WHERE at < now() - interval '30 days';
