-- Who signs in, and what they see.

-- name: to_sign_in
SELECT username, password_hash, role, service
FROM account
WHERE username = %(username)s AND disabled_at IS NULL;

-- name: caller
-- A technician sees their cells and all below them; null is every cell. From here on the transaction
-- sees what the caller may see, and its statements are planned as `plans` says: settings that end
-- with it, however it ends. `everything` leaves the scope to the statements alone.
-- The tree is climbed cell by cell (OFFSET 0): the planner would read all of it.
WITH caller AS MATERIALIZED (
    SELECT account.id AS account_id, account.username, account.role,
        technician.id AS technician_id, technician.code AS technician, technician.name,
        technician.skills,
        CASE WHEN account.role = 'technician' THEN ARRAY(
            WITH RECURSIVE own (code) AS (
                SELECT technician_cell.cell_code
                FROM technician_cell
                WHERE technician_cell.technician_id = technician.id
                UNION
                SELECT below.code
                FROM own
                CROSS JOIN LATERAL (
                    SELECT cell.code FROM cell WHERE cell.parent_code = own.code OFFSET 0) AS below
            )
            SELECT code FROM own ORDER BY code)
        END AS cells,
        CASE WHEN account.role = 'technician' THEN ARRAY(
            WITH RECURSIVE up (code) AS (
                SELECT cell.parent_code
                FROM technician_cell JOIN cell ON cell.code = technician_cell.cell_code
                WHERE technician_cell.technician_id = technician.id
                    AND cell.parent_code IS NOT NULL
                UNION
                SELECT above.code
                FROM up
                CROSS JOIN LATERAL (
                    SELECT cell.parent_code FROM cell
                    WHERE cell.code = up.code AND cell.parent_code IS NOT NULL
                    OFFSET 0) AS above (code)
            )
            SELECT code FROM up ORDER BY code)
        END AS above,
        EXISTS (SELECT FROM session
            WHERE session.id = %(session)s AND session.account_id = account.id
                AND session.ended_at IS NULL AND session.expires_at > now()) AS in_session,
        now() AS at
    FROM account LEFT JOIN technician ON technician.id = account.technician_id
    WHERE account.username = %(username)s AND account.disabled_at IS NULL
), seen AS MATERIALIZED (
    SELECT CASE WHEN %(everything)s THEN NULL ELSE cells END AS cells, above FROM caller
)
SELECT caller.*, cardinality(ARRAY[
        set_config('tellergrid.scope', coalesce(seen.cells, '{}')::text, true),
        set_config('tellergrid.reach', coalesce(seen.cells || seen.above, '{}')::text, true),
        set_config('tellergrid.account', caller.account_id::text, true),
        set_config('tellergrid.actor', caller.username, true),
        set_config('tellergrid.origin', %(origin)s, true),
        set_config('plan_cache_mode', %(plans)s, true),
        set_config('role', CASE WHEN seen.cells IS NULL
            THEN 'tellergrid_whole' ELSE 'tellergrid_scoped' END, true)
    ]) AS settings
FROM caller CROSS JOIN seen;
