-- Terminals, with the latest that is known of each. A terminal's cell is the one it is in now.

-- name: terminals
-- By code, after a code; each filter is off when null; `pattern` is for ILIKE. With `id`, the one
-- terminal of that code.
SELECT *
FROM terminal_card
WHERE (%(id)s::text IS NULL OR id = %(id)s)
    AND (%(cell)s::text IS NULL OR cell_code IN (SELECT cell_family(%(cell)s)))
    AND (%(states)s::text[] IS NULL OR service_state = ANY(%(states)s))
    AND (%(kind)s::text IS NULL OR kind = %(kind)s)
    AND (%(pattern)s::text IS NULL OR id ILIKE %(pattern)s OR site ILIKE %(pattern)s
        OR vendor ILIKE %(pattern)s OR model ILIKE %(pattern)s)
    AND (%(scope)s::text[] IS NULL OR cell_code = ANY(%(scope)s))
    AND id > coalesce(%(after)s::text, '')
ORDER BY id
LIMIT %(rows)s;

-- name: detail
-- One terminal with its latest telemetry, as it came; `ts` is null where it never sent any. With
-- whether anything is open on it: mostly nothing is, and then nothing more is to be read.
SELECT card.*, EXISTS (
        SELECT FROM fault
        WHERE fault.terminal_id = card.terminal_id AND fault.cleared_at IS NULL
            AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))) AS faulty,
    EXISTS (
        SELECT FROM ticket
        WHERE ticket.terminal_id = card.terminal_id
            AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
            AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))) AS ticketed,
    state.ts, state.arrived_at, state.boot, state.seq, snapshot.status, snapshot.storage,
    state.metrics
FROM terminal_card AS card
LEFT JOIN terminal_state AS state ON state.terminal_id = card.terminal_id
LEFT JOIN terminal_snapshot AS snapshot ON snapshot.terminal_id = card.terminal_id
WHERE card.id = %(id)s
    AND (%(scope)s::text[] IS NULL OR card.cell_code = ANY(%(scope)s));
