-- What the engine reads of faults, and the tickets it raises. It serves every cell: no scope here.

-- name: wanting
-- Open faults that may need a ticket; `raise_tickets` looks closer. Nearly every fault has a live
-- ticket of its own, which is found out first: it takes no more than two indexes. What is left is an
-- array, for which the planner looks into indexes instead of reading whole tables.
SELECT fault.id
FROM fault
WHERE fault.id = ANY(ARRAY(
        SELECT untold.id
        FROM fault AS untold
        WHERE untold.cleared_at IS NULL AND untold.suppressed_by IS NULL
            AND untold.severity <> 'warning'
            AND NOT EXISTS (
                SELECT FROM ticket
                WHERE ticket.fault_id = untold.id
                    AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED'))))
    AND NOT EXISTS (
        SELECT FROM ticket
        WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
                = (fault.scope, fault.subject, fault.rule, fault.item)
            AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED'));

-- name: raise_tickets
-- A ticket for each of `faults` that is open and needs one: no warning, not spoken for by a cell
-- fault, and without a live ticket of its cause. Cancelled by operations, a fault raises no other
-- one; merged by hand, its parent speaks for it while that is live, or what that was merged into.
-- Where the fault's cell has ended, it is of the one that its terminal is in by now. Racing raisers
-- meet at the unique index.
WITH raised AS (
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
    WHERE fault.id = ANY(%(faults)s)
        AND fault.cleared_at IS NULL
        AND fault.suppressed_by IS NULL
        AND fault.severity <> 'warning'
        AND NOT EXISTS (
            SELECT FROM ticket
            WHERE (ticket.scope, ticket.subject, ticket.rule, ticket.item)
                    = (fault.scope, fault.subject, fault.rule, fault.item)
                AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED'))
        AND NOT EXISTS (
            SELECT
            FROM ticket
            WHERE ticket.fault_id = fault.id AND (
                ticket.state = 'CANCELLED'
                OR (ticket.state = 'MERGED'
                    AND EXISTS (
                        WITH RECURSIVE above (state, parent_id) AS (
                            SELECT parent.state, parent.parent_id
                            FROM ticket AS parent
                            WHERE parent.id = ticket.parent_id
                            UNION
                            SELECT parent.state, parent.parent_id
                            FROM above JOIN ticket AS parent ON parent.id = above.parent_id
                            WHERE above.state = 'MERGED'
                        )
                        SELECT FROM above WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED'))
                    AND EXISTS (
                        SELECT FROM ticket_transition
                        WHERE ticket_transition.ticket_id = ticket.id
                            AND ticket_transition.event = 'merge'
                            AND ticket_transition.role <> 'engine'))))
    ORDER BY fault.scope, fault.subject, fault.rule, fault.item
    ON CONFLICT (scope, subject, rule, item)
        WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED') DO NOTHING
    RETURNING id
)
INSERT INTO ticket_transition (ticket_id, event, to_state, actor, role)
SELECT id, 'raise', 'NEW', %(actor)s, %(role)s FROM raised;

-- name: causes
-- Live tickets with what telemetry says of their cause: the open fault of the same cause, which may
-- be a later one than the ticket's own, and the live ticket of the cell fault that speaks for it. Of
-- what was raised by hand, telemetry says nothing.
-- Most tickets are left out: not resolved, their own fault open, unsuppressed and as severe, and no
-- recovery noted, there is nothing to do with them. That is found out first, of two indexes.
SELECT card.id, card.version, card.state, card.fault_id, card.technician_id, card.parent_id,
    card.held_in, card.reopened, card.resolved_at, card.recovered_at, card.line, card.pinned,
    card.severity, present.severity AS fault_severity, now() AS at, present.id AS open_fault,
    present.suppressed_by IS NOT NULL AS suppressed, speaker.id AS spoken_for_by, own.cleared_at,
    card.state IN ('NEW', 'ASSIGNED') AND ticket_wanted(card.id) AS wanted
FROM ticket_card AS card
LEFT JOIN fault AS own ON own.id = card.fault_id
LEFT JOIN fault AS present
    ON (present.scope, present.subject, present.rule, present.item)
        = (card.scope, card.subject, card.rule, card.item)
    AND present.cleared_at IS NULL
LEFT JOIN ticket AS speaker
    ON speaker.fault_id = present.suppressed_by
    AND speaker.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
WHERE card.id = ANY(ARRAY(
        SELECT ticket.id
        FROM ticket LEFT JOIN fault AS told ON told.id = ticket.fault_id AND told.cleared_at IS NULL
        WHERE ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
            AND (ticket.state = 'RESOLVED' OR ticket.recovered_at IS NOT NULL
                OR told.id IS NULL OR told.suppressed_by IS NOT NULL
                OR told.severity <> ticket.severity)))
    AND (card.state = 'RESOLVED' OR card.recovered_at IS NOT NULL
        OR present.id IS DISTINCT FROM card.fault_id OR present.suppressed_by IS NOT NULL
        OR present.severity <> card.severity);

-- name: not_accepted
-- Tickets whose technician was asked longer ago than `since`, and when that was.
SELECT card.*, asked.at AS asked_at, now() AS at
FROM ticket_card AS card
JOIN LATERAL (
    SELECT ticket_transition.at
    FROM ticket_transition
    WHERE ticket_transition.ticket_id = card.id
        AND ticket_transition.event IN ('assign', 'reopen')
    ORDER BY ticket_transition.id DESC
    LIMIT 1
) AS asked ON asked.at <= now() - %(since)s::interval
WHERE card.state = 'ASSIGNED';

-- name: deserted
-- Tickets that somebody accepted whose account is disabled, which nobody was told of since both were so.
SELECT ticket.id
FROM account JOIN ticket ON ticket.technician_id = account.technician_id
WHERE account.disabled_at <= now()
    AND ticket.state IN ('ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
    AND NOT EXISTS (
        SELECT FROM ticket_transition
        WHERE ticket_transition.ticket_id = ticket.id
            AND (ticket_transition.event, ticket_transition.reason) = ('escalate', 'account disabled')
            AND ticket_transition.at >= account.disabled_at
            AND ticket_transition.id > (
                SELECT coalesce(max(accepted.id), 0) FROM ticket_transition AS accepted
                WHERE accepted.ticket_id = ticket.id AND accepted.event = 'accept'));

-- name: out_of_sight
-- Tickets that somebody accepted who answers for their cell no more, nor for one above it, and so does not
-- see them. Told once of each that they accepted. Cells that have ended stay below those they were below.
SELECT ticket.id
FROM ticket
WHERE ticket.state IN ('ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
    AND NOT EXISTS (
        WITH RECURSIVE up (code) AS (
            SELECT ticket.cell_code
            UNION
            SELECT cell.parent_code
            FROM up JOIN cell ON cell.code = up.code
            WHERE cell.parent_code IS NOT NULL
        )
        SELECT FROM up JOIN technician_cell ON technician_cell.cell_code = up.code
        WHERE technician_cell.technician_id = ticket.technician_id)
    AND NOT EXISTS (
        SELECT FROM ticket_transition
        WHERE ticket_transition.ticket_id = ticket.id
            AND (ticket_transition.event, ticket_transition.reason) = ('escalate', 'other cells')
            AND ticket_transition.id > (
                SELECT coalesce(max(accepted.id), 0) FROM ticket_transition AS accepted
                WHERE accepted.ticket_id = ticket.id AND accepted.event = 'accept'));

-- name: left_alone
-- Tickets that somebody accepted who is absent now, which nobody was told of since both were so. Of
-- absences that overlap, or follow one upon the other, it is one.
SELECT ticket.id
FROM (
    SELECT technician_id, lower(absence) AS since
    FROM (
        SELECT technician_id, unnest(range_agg(tstzrange(begins_at, ends_at))) AS absence
        FROM technician_absence
        GROUP BY technician_id
    ) AS absent
    WHERE absence @> now()
) AS away JOIN ticket ON ticket.technician_id = away.technician_id
WHERE ticket.state IN ('ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
    AND NOT EXISTS (
        SELECT FROM ticket_transition
        WHERE ticket_transition.ticket_id = ticket.id
            AND (ticket_transition.event, ticket_transition.reason) = ('escalate', 'absent')
            AND ticket_transition.at >= away.since
            AND ticket_transition.id > (
                SELECT coalesce(max(accepted.id), 0) FROM ticket_transition AS accepted
                WHERE accepted.ticket_id = ticket.id AND accepted.event = 'accept'));
