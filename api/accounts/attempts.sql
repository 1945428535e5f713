-- Attempts to sign in that have not succeeded.

-- name: lock
-- One attempt of a name at a time, until it is noted.
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0));

-- name: wait_s
-- How long until enough attempts of the name, or of the address, are long enough ago; null is now.
-- Of those that are under way nobody knows yet, and for one of them it may be over soon.
SELECT ceil(max(CASE WHEN enough.under_way THEN %(soon)s
    ELSE extract(epoch FROM enough.at + make_interval(secs => %(window)s) - now()) END))
FROM (VALUES (%(name)s, %(most_by_name)s), (%(address)s, %(most_by_address)s))
    AS asked (subject, most)
CROSS JOIN LATERAL (
    SELECT min(newest.at) AS at, bool_or(newest.under_way) AS under_way
    FROM (
        SELECT at, NOT failed AND at > now() - make_interval(secs => %(longest)s) AS under_way
        FROM sign_in_attempt
        WHERE sign_in_attempt.subject = asked.subject
            AND at > now() - make_interval(secs => %(window)s)
        ORDER BY at DESC LIMIT asked.most
    ) AS newest
    HAVING count(*) >= asked.most
) AS enough;

-- name: note
INSERT INTO sign_in_attempt (subject) VALUES (%(name)s), (%(address)s) RETURNING at;

-- name: failed
UPDATE sign_in_attempt SET failed = true WHERE subject IN (%(name)s, %(address)s) AND at = %(at)s;

-- name: forgive
DELETE FROM sign_in_attempt WHERE subject = %(name)s;

-- name: take_back
DELETE FROM sign_in_attempt WHERE subject = %(address)s AND at = %(at)s;

-- name: forget
DELETE FROM sign_in_attempt WHERE at < now() - make_interval(secs => %(window)s);
