-- What windows hold back.

-- name: covered
-- Open faults without a ticket of their own that fired within a window about them, each with all
-- the times of windows about it since. A fault of a cell is held by windows about that cell or one
-- above, not by those about a terminal or a kind. A cell's window is about whom it has now.
SELECT fault.id, fault.fired_at, fault.fired_at - fault.started_at AS hold, now() AS at,
    array_agg(lower(occurrence.period)) AS begins, array_agg(upper(occurrence.period)) AS ends
FROM fault
JOIN planned_occurrence AS occurrence
    ON occurrence.period && tstzrange(fault.fired_at, now(), '[]')
JOIN planned_window AS planned ON planned.id = occurrence.window_id
LEFT JOIN terminal ON terminal.id = fault.terminal_id
WHERE fault.cleared_at IS NULL
    AND (planned.terminal_id IS NULL OR planned.terminal_id = fault.terminal_id)
    AND (planned.kind IS NULL OR planned.kind = terminal.kind)
    AND (planned.component IS NULL OR planned.component = fault.component)
    AND (planned.cell_code IS NULL OR planned.cell_code IN (
        SELECT ancestor_code FROM cell_ancestor
        WHERE cell_code = coalesce((
            SELECT terminal_cell.cell_code FROM terminal_cell
            WHERE terminal_cell.terminal_id = fault.terminal_id
                AND terminal_cell.valid @> now()), fault.cell_code)))
    AND NOT EXISTS (SELECT FROM ticket WHERE ticket.fault_id = fault.id)
GROUP BY fault.id;
