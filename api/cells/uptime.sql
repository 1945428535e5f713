-- Whether a cell is there to be asked about.

-- name: cell_exists
SELECT EXISTS (
    SELECT FROM cell
    WHERE code = %(cell)s AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s)));
