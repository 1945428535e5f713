-- The feed: fault changes and ticket transitions in the order (transaction, source, id).
--
-- Ids are given when rows are written, not when they are committed, so the highest id seen is no
-- safe place to go on from: a lower one may be committed later. Transactions are: once no
-- transaction below pg_snapshot_xmin is running, no row below it can appear any more. So only rows
-- below it are read, and the last one read is a place to go on from.

-- name: horizon
-- The first transaction that may still be running.
SELECT pg_snapshot_xmin(pg_current_snapshot())::text;

-- name: changes
-- The next changes after a place.
(
    SELECT fault_change.tx::text AS tx, 0 AS source, fault_change.id AS key,
        fault_change.change, NULL AS from_state, NULL AS to_state, fault_change.at,
        fault.id::text AS id, fault.title, fault.severity, fault.rule, fault.component,
        fault.cell_code AS cell, terminal.code AS terminal, NULL AS actor, NULL AS technician,
        fault_change.tx AS tx_order
    FROM fault_change
    JOIN fault ON fault.id = fault_change.fault_id
    LEFT JOIN terminal ON terminal.id = fault.terminal_id
    WHERE fault_change.tx >= %(tx)s::text::xid8
        AND fault_change.tx < pg_snapshot_xmin(pg_current_snapshot())
        AND (fault_change.tx, 0, fault_change.id) > (%(tx)s::text::xid8, %(source)s, %(key)s)
        AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
    ORDER BY fault_change.tx, fault_change.id
    LIMIT %(rows)s
)
UNION ALL
(
    SELECT step.tx::text, 1, step.id,
        step.event, step.from_state, step.to_state, step.at,
        ticket.id::text, ticket.title, ticket.severity, ticket.rule, ticket.component,
        ticket.cell_code, terminal.code, step.actor, technician.code,
        step.tx
    FROM ticket_transition AS step
    JOIN ticket ON ticket.id = step.ticket_id
    LEFT JOIN terminal ON terminal.id = ticket.terminal_id
    LEFT JOIN technician ON technician.id = step.technician_id
    WHERE step.tx >= %(tx)s::text::xid8
        AND step.tx < pg_snapshot_xmin(pg_current_snapshot())
        AND (step.tx, 1, step.id) > (%(tx)s::text::xid8, %(source)s, %(key)s)
        AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
    ORDER BY step.tx, step.id
    LIMIT %(rows)s
)
ORDER BY tx_order, source, key
LIMIT %(rows)s;
