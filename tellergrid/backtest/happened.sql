-- name: faults
-- The faults that fired in a time, each with whether there was a ticket of its cause while it was
-- open (an earlier one that was still live counts, as it did then), and whether it ever spoke for
-- itself.
SELECT fault.scope, fault.subject, fault.rule, fault.item, fault.cell_code, fault.severity,
    fault.started_at, fault.fired_at, fault.cleared_at,
    fault.suppressed_by IS NULL OR EXISTS (
        SELECT FROM fault_change
        WHERE fault_change.fault_id = fault.id
            AND fault_change.change IN ('suppressed', 'released')) AS alone,
    fault.component, fault.terminal_id,
    EXISTS (
        SELECT FROM ticket
        WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
                = (fault.scope, fault.subject, fault.rule, fault.item)
            AND (ticket.fault_id = fault.id
                OR (ticket.created_at <= coalesce(fault.cleared_at, 'infinity')
                    AND (ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
                        OR ticket.changed_at >= fault.fired_at)))) AS ticketed
FROM fault
LEFT JOIN terminal ON terminal.id = fault.terminal_id
WHERE fault.fired_at < %(until)s
    AND (fault.cleared_at IS NULL OR fault.cleared_at >= %(since)s)
    AND (terminal.region_code = %(region)s
        OR (fault.scope <> 'terminal' AND fault.cell_code = ANY (%(cells)s)))
ORDER BY fault.fired_at, fault.id;
