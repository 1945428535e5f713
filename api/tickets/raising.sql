-- Tickets that operations raise by hand.

-- name: from_fault
-- Of an open fault that no cell fault speaks for; nothing where a live ticket tells of its cause.
INSERT INTO ticket (
    fault_id, scope, subject, rule, item, terminal_id, cell_code, severity, component, title,
    remedy, skill, line, parts, previous_id)
SELECT fault.id, fault.scope, fault.subject, fault.rule, fault.item, fault.terminal_id,
    coalesce(member.cell_code, fault.cell_code), fault.severity, fault.component, fault.title,
    fault.remedy, fault.skill, fault.line, fault.parts,
    (SELECT max(ticket.id) FROM ticket
        WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
            = (fault.scope, fault.subject, fault.rule, fault.item))
FROM fault
LEFT JOIN terminal_cell AS member
    ON member.terminal_id = fault.terminal_id AND member.valid @> now()
    AND fault.cell_code IN (SELECT code FROM cell WHERE valid_to <= now())
WHERE fault.id = %(fault)s AND fault.cleared_at IS NULL AND fault.suppressed_by IS NULL
    AND (%(scope)s::text[] IS NULL OR fault.cell_code = ANY(%(scope)s))
ON CONFLICT (scope, subject, rule, item)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED') DO NOTHING
RETURNING id;

-- name: of_terminal
-- Of a terminal, in the cell that it is in now.
INSERT INTO ticket (
    scope, subject, rule, item, terminal_id, cell_code, severity, component, title, remedy, skill,
    line, parts, previous_id)
SELECT 'terminal', terminal.code, 'by_hand', %(component)s, terminal.id, terminal_cell.cell_code,
    %(severity)s, %(component)s, %(title)s, %(remedy)s, %(skill)s, %(line)s, %(parts)s,
    (SELECT max(ticket.id) FROM ticket
        WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
            = ('terminal', terminal.code, 'by_hand', %(component)s))
FROM terminal
JOIN terminal_cell ON terminal_cell.terminal_id = terminal.id AND terminal_cell.valid @> now()
WHERE terminal.code = %(terminal)s
    AND (%(scope)s::text[] IS NULL OR terminal_cell.cell_code = ANY(%(scope)s))
ON CONFLICT (scope, subject, rule, item)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED') DO NOTHING
RETURNING id;

-- name: of_cell
INSERT INTO ticket (
    scope, subject, rule, item, cell_code, severity, component, title, remedy, skill, line, parts,
    previous_id)
SELECT 'cell', cell.code, 'by_hand', %(component)s, cell.code, %(severity)s, %(component)s,
    %(title)s, %(remedy)s, %(skill)s, %(line)s, %(parts)s,
    (SELECT max(ticket.id) FROM ticket
        WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
            = ('cell', cell.code, 'by_hand', %(component)s))
FROM cell
WHERE cell.code = %(cell)s AND (%(scope)s::text[] IS NULL OR cell.code = ANY(%(scope)s))
ON CONFLICT (scope, subject, rule, item)
    WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED') DO NOTHING
RETURNING id;

-- name: live
-- The live ticket that tells of a cause already, by fault, terminal or cell.
SELECT ticket.id
FROM ticket
LEFT JOIN fault ON fault.id = %(fault)s::uuid
WHERE ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
    AND (ticket.scope, ticket.subject, ticket.rule, ticket.item) = (
        coalesce(fault.scope, CASE WHEN %(terminal)s::text IS NULL THEN 'cell' ELSE 'terminal' END),
        coalesce(fault.subject, %(terminal)s::text, %(cell)s::text),
        coalesce(fault.rule, 'by_hand'),
        coalesce(fault.item, %(component)s::text))
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s));

-- name: note
INSERT INTO ticket_transition (ticket_id, event, to_state, account_id, actor, role, note)
VALUES (%(id)s, 'raise', 'NEW', %(account_id)s, %(actor)s, %(role)s, %(note)s::text);
