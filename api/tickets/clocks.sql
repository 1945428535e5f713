-- What the clocks of tickets are computed from.

-- name: policies
SELECT sla.severity, sla.cell_code, sla.valid_from, sla.calendar_code, sla.response_minutes,
    sla.arrival_minutes, sla.restore_minutes, sla.warn_share, sla.pausing, sla.chain
FROM sla;

-- name: calendars
SELECT code, zone,
    ARRAY(SELECT ARRAY[weekday, opens_minute, closes_minute] FROM sla_hours
        WHERE sla_hours.calendar_code = sla_calendar.code
        ORDER BY weekday, opens_minute) AS hours,
    ARRAY(SELECT day FROM sla_holiday
        WHERE sla_holiday.calendar_code = sla_calendar.code) AS holidays
FROM sla_calendar;

-- name: histories
-- Tickets with all that happened to each, in order.
SELECT card.id, card.version, card.state, card.fault_id, card.technician_id, card.parent_id,
    card.held_in, card.reopened, card.resolved_at, card.recovered_at, card.line, card.pinned,
    card.created_at, card.severity, card.promised_in, now() AS at, (SELECT sla_seen()) AS promises,
    ARRAY(SELECT row(step.event, step.to_state, step.at, step.reason,
            CASE WHEN step.event = 'escalate' THEN step.note END, step.severity_before,
            step.recovered_at)
        FROM ticket_transition AS step
        WHERE step.ticket_id = card.id
        ORDER BY step.id) AS steps
FROM ticket_card AS card
WHERE card.id = ANY(%(ids)s)
    AND (%(scope)s::text[] IS NULL OR card.cell = ANY(%(scope)s));

-- name: live
-- Every live ticket with its version in one number, for the engine alone: of every cell. In an array,
-- for nobody should make thousands of rows of it.
SELECT coalesce(array_agg(id::bigint << 32 | version), '{}'), now(), sla_seen()
FROM ticket
WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED');
