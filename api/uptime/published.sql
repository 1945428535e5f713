-- What was told to somebody, version by version.

-- name: lock
-- One publisher of a name at a time.
SELECT pg_advisory_xact_lock(hashtextextended(%(name)s, 0));

-- name: latest
SELECT version, digest, body, published_at, author, reason
FROM published_figure
WHERE name = %(name)s AND period = tstzrange(%(begin)s, %(end)s) AND zone = %(zone)s
ORDER BY version DESC
LIMIT 1;

-- name: numbered
SELECT version, digest, body, published_at, author, reason
FROM published_figure
WHERE name = %(name)s AND period = tstzrange(%(begin)s, %(end)s) AND zone = %(zone)s
    AND version = %(version)s;

-- name: is_published
SELECT EXISTS (
    SELECT FROM published_figure
    WHERE name = %(name)s AND period = tstzrange(%(begin)s, %(end)s) AND zone = %(zone)s);

-- name: publish
INSERT INTO published_figure (name, period, zone, version, body, digest, author, reason)
VALUES (%(name)s, tstzrange(%(begin)s, %(end)s), %(zone)s, %(version)s, %(body)s, %(digest)s,
    %(author)s, %(reason)s)
RETURNING version, digest, body, published_at, author, reason;
