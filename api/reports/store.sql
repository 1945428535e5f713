-- Monthly reports, which operations alone make and read: they are of every cell.

-- name: one_at_a_time
-- Two who make the same report would give it two versions.
SELECT pg_advisory_xact_lock(hashtext('tellergrid report'), hashtext(%(month)s || %(zone)s));

-- name: now
SELECT now();

-- name: names
-- What each cell was called last in a window.
SELECT DISTINCT ON (cell_code) cell_code, name
FROM cell_version
WHERE valid && tstzrange(%(begin)s, %(end)s)
    AND (%(scope)s::text[] IS NULL OR cell_code = ANY(%(scope)s))
ORDER BY cell_code, lower(valid) DESC NULLS LAST;

-- name: kept
-- A version of a report, or the last one.
SELECT version, digest, figures, made_at
FROM report
WHERE month = %(month)s AND zone = %(zone)s
    AND (%(version)s::integer IS NULL OR version = %(version)s::integer)
ORDER BY version DESC
LIMIT 1;

-- name: keep
INSERT INTO report (month, zone, version, digest, figures)
VALUES (%(month)s, %(zone)s, %(version)s, %(digest)s, %(figures)s)
RETURNING made_at;
