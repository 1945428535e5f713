-- Attempts to sign in that did not succeed.

-- name: lock
-- One attempt of a name at a time, until it is noted.
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0));

-- name: wait_s
-- How long until enough attempts of the name, or of the address, are long enough ago; null is now.
SELECT ceil(extract(epoch FROM max(freed.at) + make_interval(secs => %(window)s) - now()))
FROM (
    (SELECT at FROM sign_in_attempt
        WHERE subject = %(name)s AND at > now() - make_interval(secs => %(window)s)
        ORDER BY at DESC OFFSET %(most_by_name)s - 1 LIMIT 1)
    UNION ALL
    (SELECT at FROM sign_in_attempt
        WHERE subject = %(address)s AND at > now() - make_interval(secs => %(window)s)
        ORDER BY at DESC OFFSET %(most_by_address)s - 1 LIMIT 1)
) AS freed;

-- name: note
INSERT INTO sign_in_attempt (subject) VALUES (%(name)s), (%(address)s);

-- name: forgive
DELETE FROM sign_in_attempt WHERE subject = %(name)s;

-- name: take_back
DELETE FROM sign_in_attempt WHERE ctid = (
    SELECT ctid FROM sign_in_attempt WHERE subject = %(address)s ORDER BY at DESC LIMIT 1);

-- name: forget
DELETE FROM sign_in_attempt WHERE at < now() - make_interval(secs => %(window)s);
