-- The outbox. It is for the notifier, which serves every cell: no scope here.

-- name: place
-- Up to where the history of tickets was read, and up to where it may be read now: below the first
-- transaction that may still be running nothing can appear any more.
SELECT tx::text, key, pg_snapshot_xmin(pg_current_snapshot())::text
FROM notification_place
FOR UPDATE;

-- name: number_anew
-- The place is of another server, from which this database was restored.
SELECT number_transactions_anew();

-- name: happened
-- The next steps that somebody may be to hear of, in the order in which they were committed. A ticket
-- that is reopened for its technician is assigned to them anew. `had` is whose it was before the step,
-- `given` the step that gave it to them, `by` the technician whose own step it is, `gone` whether
-- they heard before that its fault is gone: not of what happened while they were on site.
SELECT step.tx::text AS tx, step.id AS key, step.event, step.reason, step.note,
    step.from_state AS state, coalesce(sent.code, holder.code) AS technician, earlier.code AS had,
    given.id AS given, acting.code AS by, coalesce(said.gone, false) AS gone,
    ticket.id AS ticket, ticket.title, ticket.severity, ticket.remedy, ticket.cell_code AS cell,
    coalesce(terminal.code || ' ' || terminal.site, ticket.subject) AS place,
    ticket.parent_id AS parent
FROM ticket_transition AS step
JOIN ticket ON ticket.id = step.ticket_id
LEFT JOIN terminal ON terminal.id = ticket.terminal_id
LEFT JOIN technician AS sent ON sent.id = step.technician_id
LEFT JOIN technician AS holder ON holder.id = ticket.technician_id
LEFT JOIN account ON account.id = step.account_id
LEFT JOIN technician AS acting ON acting.id = account.technician_id
LEFT JOIN LATERAL (
    SELECT technician.code
    FROM ticket_transition AS other LEFT JOIN technician ON technician.id = other.technician_id
    WHERE other.ticket_id = step.ticket_id AND other.id < step.id
    ORDER BY other.id DESC
    LIMIT 1
) AS earlier ON true
LEFT JOIN LATERAL (
    SELECT other.id
    FROM ticket_transition AS other
    WHERE other.ticket_id = step.ticket_id AND other.id < step.id
        AND other.event IN ('assign', 'reopen')
    ORDER BY other.id DESC
    LIMIT 1
) AS given ON true
LEFT JOIN LATERAL (
    SELECT other.event = 'recover' AND other.from_state <> 'ON_SITE' AS gone
    FROM ticket_transition AS other
    WHERE other.ticket_id = step.ticket_id AND other.id < step.id
        AND other.event IN ('recover', 'relapse', 'assign', 'reopen')
    ORDER BY other.id DESC
    LIMIT 1
) AS said ON step.event = 'relapse'
WHERE step.tx >= %(tx)s::text::xid8 AND step.tx < %(horizon)s::text::xid8
    AND (step.tx, step.id) > (%(tx)s::text::xid8, %(key)s)
    AND (step.event IN ('assign', 'escalate', 'hand_over', 'time_out', 'cancel', 'merge', 'recover',
            'relapse', 'hold', 'resume')
        OR (step.event = 'reopen' AND step.technician_id IS NOT NULL))
ORDER BY step.tx, step.id
LIMIT %(rows)s;

-- name: move_on
UPDATE notification_place SET tx = %(tx)s::text::xid8, key = %(key)s;

-- name: queue
-- Told once to a recipient over a channel, however often it is queued.
INSERT INTO notification (cause, kind, recipient, channel, facts, due_at)
VALUES (%(cause)s, %(kind)s, %(recipient)s, %(channel)s, %(facts)s, %(due_at)s)
ON CONFLICT (cause, recipient, channel) DO NOTHING;

-- name: withdraw
-- What a recipient waits to be told is not so any more; whether they may have been told nevertheless.
DELETE FROM notification
WHERE cause = %(cause)s AND recipient = %(recipient)s AND state = 'waiting'
RETURNING attempts > 0;

-- name: is_told
-- Whether a recipient was, or may have been, told of something.
SELECT EXISTS (
    SELECT FROM notification
    WHERE cause = %(cause)s AND recipient = %(recipient)s
        AND state IN ('sending', 'sent', 'uncertain'));

-- name: now
SELECT now();

-- name: is_queued
SELECT EXISTS (SELECT FROM notification WHERE cause = %(cause)s);

-- name: left_behind
-- What a process that died was sending. What had not begun to leave it is sent as if nothing had been.
-- Of the rest, where a receiver can tell doubles it is sent again with the id that it had; elsewhere
-- nobody knows whether it arrived, and twice would be worse than that.
UPDATE notification
SET state = CASE WHEN again THEN 'waiting' ELSE 'uncertain' END,
    ended_at = CASE WHEN NOT again THEN now() END, due_at = now(), handed_over_at = NULL
FROM (
    SELECT id, handed_over_at IS NULL OR channel = ANY(%(telling_doubles)s) AS again
    FROM notification WHERE state = 'sending'
) AS left_behind
WHERE notification.id = left_behind.id
RETURNING channel, state;

-- name: hand_over
-- From here on it may have arrived. Nothing where another has taken it over meanwhile: who claimed it
-- slept so long that it passed for dead.
UPDATE notification SET handed_over_at = now()
WHERE delivery = %(delivery)s AND state = 'sending' AND attempts = %(attempts)s
    AND handed_over_at IS NULL
RETURNING id;

-- name: claim
-- The next delivery that is due: one that is tried again is as it was; in a channel that gathers,
-- all that is due for its recipient and not urgent; else one notification. In a channel that is
-- quiet only what waits for no quiet hours: what is late, or tried again, waits like all else.
WITH earliest AS (
    SELECT id, channel, recipient, delivery,
        channel = ANY(%(gathering)s) AND kind <> ALL(%(urgent)s) AS gathers,
        channel = ANY(%(quiet)s) AS quiet
    FROM notification
    WHERE state = 'waiting' AND due_at <= now()
        AND (channel <> ALL(%(quiet)s) OR kind = ANY(%(waking)s))
    ORDER BY due_at, id
    LIMIT 1
), claimed AS (
    SELECT other.id
    FROM notification AS other JOIN earliest USING (channel, recipient)
    WHERE other.state = 'waiting' AND CASE
        WHEN earliest.delivery IS NOT NULL THEN other.delivery = earliest.delivery
        WHEN earliest.gathers THEN other.delivery IS NULL AND other.due_at <= now()
            AND other.kind <> ALL(%(urgent)s)
            AND (NOT earliest.quiet OR other.kind = ANY(%(waking)s))
        ELSE other.id = earliest.id
    END
)
UPDATE notification
SET state = 'sending', attempts = attempts + 1, handed_over_at = NULL,
    delivery = coalesce(delivery, %(delivery)s)
FROM claimed
WHERE notification.id = claimed.id
RETURNING notification.id, notification.kind, notification.recipient, notification.channel,
    notification.facts, notification.created_at, notification.delivery, notification.attempts;

-- name: sent
UPDATE notification
SET state = 'sent', ended_at = now(), error = NULL
WHERE delivery = %(delivery)s AND state <> 'sent';

-- name: failed
UPDATE notification
SET state = CASE WHEN %(again_at)s::timestamptz IS NULL THEN 'given_up' ELSE 'waiting' END,
    due_at = coalesce(%(again_at)s, due_at), error = %(error)s,
    ended_at = CASE WHEN %(again_at)s::timestamptz IS NULL THEN now() END
WHERE delivery = %(delivery)s AND state = 'sending';

-- name: outbox
-- For operations: what was and is to be told, the latest first; each filter is off when null.
SELECT id, kind, recipient, channel, state, cause, facts, created_at, due_at, attempts, ended_at, error
FROM notification
WHERE (%(states)s::text[] IS NULL OR state = ANY(%(states)s))
    AND (%(recipient)s::text IS NULL OR recipient = %(recipient)s)
    AND (%(channel)s::text IS NULL OR channel = %(channel)s)
    AND id < coalesce(%(after)s::bigint, 9223372036854775807)
ORDER BY id DESC
LIMIT %(rows)s;

-- name: forget
-- What was told, or given up, more than 400 days ago.
DELETE FROM notification WHERE ended_at < now() - interval '400 days';
