-- What a report needs besides the figures.

-- name: now
SELECT now();

-- name: names
-- What each cell was called last in a window.
SELECT DISTINCT ON (cell_code) cell_code, name
FROM cell_version
WHERE valid && tstzrange(%(begin)s, %(end)s)
    AND (%(scope)s::text[] IS NULL OR cell_code = ANY(%(scope)s))
ORDER BY cell_code, lower(valid) DESC NULLS LAST;
