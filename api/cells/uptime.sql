-- Time in each service state, in whole microseconds.

-- name: cell_exists
SELECT EXISTS (
    SELECT FROM cell
    WHERE code = %(cell)s AND (%(scope)s::text[] IS NULL OR code = ANY(%(scope)s)));

-- name: durations
-- For a cell with all that was below it at the time, from `begin` to `until`: a row with no state says how long its
-- members belonged to it while in commission, the others how long of that is recorded in a state.
-- Summed over all terminals, or with `detail` for each. Memberships of a terminal never overlap, nor
-- do its intervals, so nothing is counted twice.
WITH piece AS MATERIALIZED (
    SELECT terminal.id, CASE WHEN %(detail)s THEN terminal.code END AS terminal, member.period
    FROM cell_family_during(%(cell)s, tstzrange(%(begin)s, %(until)s)) AS family
    JOIN terminal_cell ON terminal_cell.cell_code = family.code
        AND terminal_cell.valid && family.during
    JOIN terminal ON terminal.id = terminal_cell.terminal_id
    CROSS JOIN LATERAL (
        SELECT terminal_cell.valid
            * tstzrange(terminal.commissioned_at, terminal.decommissioned_at)
            * family.during AS period
    ) AS member
    WHERE (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
        AND NOT isempty(member.period)
), recorded AS (
    SELECT piece.id, piece.terminal, service_interval.state,
        service_interval.period * piece.period AS period
    FROM piece
    JOIN service_interval ON service_interval.terminal_id = piece.id
        AND service_interval.period && piece.period
), part AS (
    SELECT id, terminal, NULL AS state, period FROM piece
    UNION ALL
    SELECT id, terminal, state, period FROM recorded
)
SELECT terminal, state, count(DISTINCT id) AS terminals,
    (sum(extract(epoch FROM upper(period) - lower(period))) * 1000000)::bigint AS us
FROM part
GROUP BY terminal, state
ORDER BY terminal;
