-- name: copy_telemetry
COPY telemetry (ts, terminal_id, boot, seq, arrived_at, temperature_c, rtt_ms, disk_free_pct,
                status, storage, extra)
FROM STDIN (FORMAT BINARY);

-- name: copy_event
COPY event (ts, terminal_id, boot, seq, arrived_at, name, body) FROM STDIN (FORMAT BINARY);

-- name: copy_presence
COPY presence (arrived_at, terminal_id, boot, online, retained, packet_id, said_at)
FROM STDIN (FORMAT BINARY);

-- name: insert_presence_again
-- What the broker delivers again, for it was not acknowledged, may be stored; longer than 7 days it
-- keeps nothing for us.
INSERT INTO presence (arrived_at, terminal_id, boot, online, retained, packet_id, said_at)
SELECT *
FROM (VALUES (%s::timestamptz, %s::integer, %s::integer, %s::boolean, %s::boolean, %s::integer,
              %s::timestamptz))
    AS again (arrived_at, terminal_id, boot, online, retained, packet_id, said_at)
WHERE NOT EXISTS (
    SELECT FROM presence AS stored
    WHERE stored.terminal_id = again.terminal_id AND stored.packet_id = again.packet_id
      AND stored.arrived_at > again.arrived_at - interval '7 days'
      AND (stored.boot, stored.online, stored.retained)
          = (again.boot, again.online, again.retained));

-- name: insert_quarantine
-- What the broker delivers `again`, for it was not acknowledged, may be stored.
INSERT INTO quarantine (arrived_at, topic, reason, detail, size, payload, whole, packet_id)
SELECT arrived_at, topic, reason, detail, size, payload, whole, packet_id
FROM (VALUES (%s::timestamptz, %s::text, %s::text, %s::text, %s::integer, %s::bytea, %s::boolean,
              %s::integer, %s::boolean))
    AS message (arrived_at, topic, reason, detail, size, payload, whole, packet_id, again)
WHERE NOT again OR NOT EXISTS (
    SELECT FROM quarantine AS stored
    WHERE stored.packet_id = message.packet_id AND stored.topic = message.topic
      AND stored.arrived_at > message.arrived_at - interval '7 days'
      AND stored.payload = message.payload);

-- name: read_ledger
-- The ranges as two arrays of first and last, both included.
SELECT ledger.terminal_id, ledger.boot,
       ARRAY(SELECT lower(span) FROM unnest(ledger.received) AS span ORDER BY 1),
       ARRAY(SELECT upper(span) - 1 FROM unnest(ledger.received) AS span ORDER BY 1),
       ledger.doubled, ledger.blurred_to
FROM boot_received AS ledger
JOIN unnest(%(ids)s::integer[], %(boots)s::integer[]) AS wanted (terminal_id, boot)
    USING (terminal_id, boot);

-- name: read_numbers
-- What a blurred ledger does not say: all rows of a boot are looked at.
SELECT lower(span), upper(span) - 1
FROM (
    SELECT range_agg(int8range(seq, seq + 1)) AS stored
    FROM (
        SELECT seq FROM telemetry
        WHERE terminal_id = %(terminal)s AND boot = %(boot)s AND seq <= %(to)s
        UNION ALL
        SELECT seq FROM event
        WHERE terminal_id = %(terminal)s AND boot = %(boot)s AND seq <= %(to)s
    ) AS message
) AS numbers, unnest(stored) AS span
ORDER BY 1;

-- name: upsert_ledger
-- What was given up is in `lost`, or where it is blurred: not in both. Behind a new end nobody asked.
INSERT INTO boot_ledger AS ledger (terminal_id, boot, received, doubled, blurred_to)
SELECT terminal_id, boot, received::int8multirange, doubled, blurred_to
FROM unnest(%(ids)b::integer[], %(boots)b::integer[], %(received)b::text[], %(doubled)b::bigint[],
            %(blurred)b::bigint[])
    AS batch (terminal_id, boot, received, doubled, blurred_to)
ON CONFLICT (terminal_id, boot) DO UPDATE
SET received = EXCLUDED.received, doubled = EXCLUDED.doubled, blurred_to = EXCLUDED.blurred_to,
    lost = ledger.lost - int8multirange(int8range(0, EXCLUDED.blurred_to, '[]')),
    asked_behind = ledger.asked_behind
        AND upper(EXCLUDED.received) IS NOT DISTINCT FROM upper(ledger.received);

-- name: give_up
-- What was asked for in vain.
UPDATE boot_ledger AS ledger SET lost = ledger.lost + batch.lost::int8multirange
FROM unnest(%(ids)s::integer[], %(boots)s::integer[], %(lost)s::text[])
    AS batch (terminal_id, boot, lost)
WHERE (ledger.terminal_id, ledger.boot) = (batch.terminal_id, batch.boot);

-- name: look_up
-- A batch looks its rows up by key. The planner, who does not know what a batch holds, would
-- sometimes rather read all of a large table.
SET enable_hashjoin = off;
SET enable_mergejoin = off;

-- name: read_through
-- Up to the end of this transaction tables are read whole: that is no matter of looking up.
SET LOCAL enable_hashjoin = on;
SET LOCAL enable_mergejoin = on;

-- name: keep_ledgers
-- Of a terminal that goes on with another boot: how far it had come with the one before, behind which
-- it is to be asked.
UPDATE boot_ledger AS ledger SET received = whole.received, asked_behind = false
FROM unnest(%(ids)b::integer[], %(boots)b::integer[]) AS beat (terminal_id, boot)
JOIN terminal_state AS state ON state.terminal_id = beat.terminal_id AND state.boot <> beat.boot
JOIN boot_received AS whole ON whole.terminal_id = state.terminal_id AND whole.boot = state.boot
WHERE ledger.terminal_id = whole.terminal_id AND ledger.boot = whole.boot;

-- name: update_terminal_state
UPDATE terminal_state AS state
SET boot = beat.boot, seq = beat.seq, ts = beat.ts, arrived_at = beat.arrived_at,
    heard_at = beat.heard_at, connected = beat.connected, metrics = beat.metrics
FROM unnest(%(ids)b::integer[], %(boots)b::integer[], %(seqs)b::bigint[], %(ats)b::timestamptz[],
            %(arrivals)b::timestamptz[], %(hearings)b::timestamptz[], %(connections)b::boolean[],
            %(metrics)b::json[])
    AS beat (terminal_id, boot, seq, ts, arrived_at, heard_at, connected, metrics)
WHERE state.terminal_id = beat.terminal_id;

-- name: insert_terminal_state
-- Those that were never heard before.
INSERT INTO terminal_state (terminal_id, boot, seq, ts, arrived_at, heard_at, connected, metrics)
SELECT * FROM unnest(%(ids)b::integer[], %(boots)b::integer[], %(seqs)b::bigint[],
                     %(ats)b::timestamptz[], %(arrivals)b::timestamptz[],
                     %(hearings)b::timestamptz[], %(connections)b::boolean[], %(metrics)b::json[])
ON CONFLICT (terminal_id) DO NOTHING;

-- name: upsert_terminal_snapshot
-- Texts go in binary: in text each quote is escaped.
INSERT INTO terminal_snapshot (terminal_id, status, storage)
SELECT terminal_id, status::json, storage::json
FROM unnest(%(ids)b::integer[], %(status)b::text[], %(storage)b::text[])
    AS batch (terminal_id, status, storage)
ON CONFLICT (terminal_id) DO UPDATE SET status = EXCLUDED.status, storage = EXCLUDED.storage;

-- name: update_service_state
UPDATE terminal_state AS state
SET service_state = batch.service_state, service_since = batch.service_since
FROM unnest(%(ids)s::integer[], %(states)s::text[], %(ats)s::timestamptz[])
    AS batch (terminal_id, service_state, service_since)
WHERE state.terminal_id = batch.terminal_id;

-- name: delete_hold
DELETE FROM hold WHERE scope = %s AND subject = %s AND rule = %s AND item = %s;

-- name: upsert_hold
INSERT INTO hold (scope, subject, rule, item, phase, since, started_at, fault_id, flapping,
                  counted_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT (scope, subject, rule, item) DO UPDATE
SET phase = EXCLUDED.phase, since = EXCLUDED.since, started_at = EXCLUDED.started_at,
    fault_id = EXCLUDED.fault_id, flapping = EXCLUDED.flapping,
    counted_at = EXCLUDED.counted_at;

-- name: delete_transitions
DELETE FROM hold_transition WHERE scope = %s AND subject = %s AND rule = %s AND item = %s;

-- name: upsert_transitions
INSERT INTO hold_transition (scope, subject, rule, item, times, raised)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (scope, subject, rule, item) DO UPDATE
SET times = EXCLUDED.times, raised = EXCLUDED.raised;

-- name: delete_slope
DELETE FROM slope WHERE terminal = %s AND rule = %s AND item = %s;

-- name: upsert_slope
INSERT INTO slope (terminal, rule, item, times, levels, level)
VALUES (%s, %s, %s, %s::timestamptz[], %s::float8[], %s)
ON CONFLICT (terminal, rule, item) DO UPDATE
SET times = EXCLUDED.times, levels = EXCLUDED.levels, level = EXCLUDED.level;

-- name: upsert_event_count
INSERT INTO event_count (terminal, rule, times) VALUES (%s, %s, %s)
ON CONFLICT (terminal, rule) DO UPDATE SET times = EXCLUDED.times;

-- name: cut_service_intervals
-- The open interval of each terminal ends where its first transition of the batch begins; one that
-- would be left empty goes.
WITH first AS (
    SELECT terminal_id, min(at) AS at
    FROM unnest(%(ids)s::integer[], %(ats)s::timestamptz[]) AS batch (terminal_id, at)
    GROUP BY terminal_id
), emptied AS (
    DELETE FROM service_interval AS interval USING first
    WHERE interval.terminal_id = first.terminal_id
      AND upper_inf(interval.period) AND lower(interval.period) >= first.at
)
UPDATE service_interval AS interval
SET period = tstzrange(lower(interval.period), first.at)
FROM first
WHERE interval.terminal_id = first.terminal_id
  AND upper_inf(interval.period) AND lower(interval.period) < first.at;

-- name: insert_service_intervals
-- Each transition lasts until the terminal's next one in the batch; the last one is open.
INSERT INTO service_interval (terminal_id, state, period, causes)
SELECT terminal_id, state, tstzrange(at, next_at), string_to_array(causes, ',')
FROM (
    SELECT terminal_id, at, state, causes,
           lead(at) OVER (PARTITION BY terminal_id ORDER BY place) AS next_at
    FROM unnest(%(ids)s::integer[], %(ats)s::timestamptz[], %(states)s::text[], %(causes)s::text[])
        WITH ORDINALITY AS batch (terminal_id, at, state, causes, place)
) AS spans
WHERE next_at IS NULL OR next_at > at;

-- name: insert_fault
-- One that ended and comes again at the very instant at which it began is the same, and goes on.
INSERT INTO fault (id, scope, subject, terminal_id, cell_code, rule, item, severity, component,
                   impact, title, remedy, skill, line, parts, started_at, fired_at, suppressed_by,
                   catalogue)
VALUES (%(id)s, %(scope)s, %(subject)s, %(terminal_id)s, %(cell_code)s, %(rule)s, %(item)s,
        %(severity)s, %(component)s, %(impact)s, %(title)s, %(remedy)s, %(skill)s, %(line)s,
        %(parts)s, %(started_at)s, %(fired_at)s, %(suppressed_by)s, %(catalogue)s)
ON CONFLICT (id) DO UPDATE
SET cleared_at = NULL, severity = EXCLUDED.severity, suppressed_by = EXCLUDED.suppressed_by;

-- name: clear_fault
UPDATE fault SET cleared_at = %s WHERE id = %s;

-- name: rate_fault
UPDATE fault SET severity = %s WHERE id = %s;

-- name: suppress_fault
UPDATE fault SET suppressed_by = %s WHERE id = %s;

-- name: flapping_fault
UPDATE fault SET flapping_at = %s, steady_at = NULL WHERE id = %s;

-- name: steady_fault
UPDATE fault SET steady_at = %s WHERE id = %s;

-- name: insert_shadow
INSERT INTO shadow_fault (id, scope, subject, terminal_id, cell_code, rule, item, severity,
                          started_at, fired_at, alone, suppressed_by, catalogue)
VALUES (%(id)s, %(scope)s, %(subject)s, %(terminal_id)s, %(cell_code)s, %(rule)s, %(item)s,
        %(severity)s, %(started_at)s, %(fired_at)s, %(suppressed_by)s::uuid IS NULL,
        %(suppressed_by)s, %(catalogue)s)
ON CONFLICT (id) DO UPDATE
SET cleared_at = NULL, severity = EXCLUDED.severity, alone = shadow_fault.alone OR EXCLUDED.alone,
    suppressed_by = EXCLUDED.suppressed_by;

-- name: clear_shadow
UPDATE shadow_fault SET cleared_at = %s WHERE id = %s;

-- name: rate_shadow
UPDATE shadow_fault SET severity = %s WHERE id = %s;

-- name: suppress_shadow
UPDATE shadow_fault
SET suppressed_by = %(by)s, alone = alone OR %(by)s::uuid IS NULL
WHERE id = %(id)s;

-- name: flapping_shadow
UPDATE shadow_fault SET flapped = true WHERE id = %s;

-- name: insert_fault_change
INSERT INTO fault_change (fault_id, change, at, severity, suppressed_by) VALUES (%s, %s, %s, %s, %s);

-- name: notify_fault
NOTIFY fault;

-- name: wait
INSERT INTO waiting_message (terminal_id, boot, seq, arrived_at, channel, payload)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: wait_no_longer
DELETE FROM waiting_message WHERE terminal_id = %s AND boot = %s AND seq = %s;

-- name: tell_later
INSERT INTO untold_step (terminal_id, place, at, rule, item, before, word, said, serves, counted)
VALUES (%s, %s, %s, %s, %s, %s::jsonb, %s, %s::jsonb, %s, %s)
ON CONFLICT (terminal_id, place) DO UPDATE
SET at = EXCLUDED.at, rule = EXCLUDED.rule, item = EXCLUDED.item, before = EXCLUDED.before,
    word = EXCLUDED.word, said = EXCLUDED.said, serves = EXCLUDED.serves,
    counted = EXCLUDED.counted;

-- name: told
DELETE FROM untold_step WHERE terminal_id = %s AND place = %s;

-- name: late
INSERT INTO late_message (terminal_id, boot, seq, channel, ts, arrived_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: mark_recut
-- Whose intervals are to be cut anew, for what came late was said in them.
INSERT INTO interval_recut (terminal_id, said, messages)
VALUES (%s, tstzrange(%s, %s, '[]'), %s);

-- name: jump
INSERT INTO clock_jump (terminal_id, boot, seq, ts, arrived_at, set_by)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING;

-- name: clock_off
UPDATE terminal_state SET clock_off = %s WHERE terminal_id = %s;
