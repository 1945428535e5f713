-- The benchmark of the api: a fleet with tickets, written in a few statements.

-- name: drop
DROP DATABASE IF EXISTS tellergrid_bench_api WITH (FORCE);

-- name: create
CREATE DATABASE tellergrid_bench_api;

-- name: no_triggers
-- What is built is no history of anybody's.
SET LOCAL session_replication_role = replica;

-- name: grid
INSERT INTO region (code, name)
SELECT 'region-' || number, 'Region ' || number FROM generate_series(1, 20) AS number;

-- name: cells
-- Districts of twenty cells each.
WITH made AS (
    SELECT number, number / 20 AS district FROM generate_series(0, %(cells)s::integer - 1) AS number
), written AS (
    INSERT INTO cell (code, name, level, parent_code, boundary)
    SELECT DISTINCT 'D' || lpad(district::text, 3, '0'), 'District ' || district, 0, NULL,
        '{"type": "Polygon", "coordinates": []}'::jsonb
    FROM made
    UNION ALL
    SELECT 'C' || lpad(number::text, 4, '0'), 'Cell ' || number, 1,
        'D' || lpad(district::text, 3, '0'), '{"type": "Polygon", "coordinates": []}'::jsonb
    FROM made
    RETURNING code, name, level, parent_code, boundary, properties
)
INSERT INTO cell_version SELECT *, tstzrange(NULL, NULL) FROM written;

-- name: terminals
INSERT INTO terminal (
    code, kind, vendor, model, region_code, site, latitude, longitude, commissioned_at)
SELECT 'T' || lpad(number::text, 6, '0'), 'atm', 'vendor-' || number %% 3, 'A-100',
    'region-' || number %% 20 + 1, 'Site ' || number, 30, 120, now() - interval '1 year'
FROM generate_series(0, %(terminals)s::integer - 1) AS number;

-- name: members
INSERT INTO terminal_cell (terminal_id, cell_code, valid, method)
SELECT id, 'C' || lpad((id %% %(cells)s::integer)::text, 4, '0'),
    tstzrange(now() - interval '1 year', NULL), 'polygon'
FROM terminal;

-- name: states
WITH stated AS (
    INSERT INTO terminal_state (
        terminal_id, boot, seq, ts, arrived_at, heard_at, connected, metrics, service_state,
        service_since)
    SELECT id, 1, 4211, now(), now(), now(), true, '{"temperature_c": 31.2, "rtt_ms": 42}',
        'in_service', now() - interval '1 hour'
    FROM terminal
    RETURNING terminal_id
)
INSERT INTO terminal_snapshot (terminal_id, status, storage)
SELECT terminal_id, '{"cardReader": {"device": "online", "media": "notPresent"}}',
    '[{"id": "CST1", "status": "ok", "replenishmentStatus": "ok", "count": 312}]'
FROM stated;

-- name: intervals
-- Up, and down for half an hour a day, each at a minute of its own, until now.
INSERT INTO service_interval (terminal_id, state, period, causes)
SELECT terminal.id, life.state, life.period, life.causes
FROM terminal
CROSS JOIN generate_series(1, %(days)s::integer) AS day
CROSS JOIN LATERAL (
    SELECT now() - make_interval(days => day) + make_interval(mins => terminal.id * 7 %% 1380) AS began
) AS at
CROSS JOIN LATERAL (VALUES
    ('out_of_service', tstzrange(at.began, at.began + interval '30 minutes'),
        '{card_reader_jammed}'::text[]),
    ('in_service', tstzrange(at.began + interval '30 minutes',
        CASE WHEN day > 1 THEN at.began + interval '1 day' END), '{}')
) AS life (state, period, causes);

-- name: technicians
INSERT INTO technician (code, name, skills)
SELECT 'P' || number, 'Technician ' || number, '{card,cash}'
FROM generate_series(1, %(technicians)s::integer) AS number;

-- name: answers
-- Four cells each.
INSERT INTO technician_cell (technician_id, cell_code)
SELECT DISTINCT technician.id,
    'C' || lpad(((technician.id * 4 + step) %% %(cells)s::integer)::text, 4, '0')
FROM technician CROSS JOIN generate_series(0, 3) AS step;

-- name: accounts
INSERT INTO account (username, password_hash, role, technician_id)
SELECT 'ops', %(password_hash)s, 'operations', NULL
UNION ALL
SELECT 'tech' || id, %(password_hash)s, 'technician', id FROM technician WHERE id <= 10;

-- name: faults
-- One a ticket; of every tenth it is still open, and began within ten hours. In cells that somebody
-- answers for, each with as many.
INSERT INTO fault (
    id, scope, subject, terminal_id, cell_code, rule, item, severity, component, impact, title,
    remedy, skill, line, started_at, fired_at, cleared_at, catalogue)
SELECT gen_random_uuid(), 'terminal', terminal.code, terminal.id, terminal_cell.cell_code,
    'card_reader_jammed', number::text, (ARRAY['critical', 'major', 'minor'])[number %% 3 + 1],
    'cardReader', 'out_of_service', 'Card reader jammed', 'Remove the card.', 'card', 2,
    began.at, began.at,
    CASE WHEN number %% 10 <> 0 THEN began.at + interval '2 hours' END, 'bench'
FROM generate_series(1, %(tickets)s::integer) AS number
JOIN terminal ON terminal.id = (number * 7 + number / 10) %% %(terminals)s::integer + 1
JOIN terminal_cell ON terminal_cell.terminal_id = terminal.id
CROSS JOIN LATERAL (
    SELECT now() - make_interval(
        mins => 5 + CASE WHEN number %% 10 = 0 THEN number / 10 %% 600 ELSE number END) AS at
) AS began;

-- name: tickets
INSERT INTO ticket (
    fault_id, scope, subject, rule, item, terminal_id, cell_code, severity, component, title, remedy,
    skill, line, state, technician_id, created_at, changed_at, promised_in)
SELECT fault.id, fault.scope, fault.subject, fault.rule, fault.item, fault.terminal_id,
    fault.cell_code, fault.severity, fault.component, fault.title, fault.remedy, fault.skill,
    fault.line, CASE WHEN fault.cleared_at IS NULL THEN 'ACCEPTED' ELSE 'CLOSED' END,
    (SELECT technician_id FROM technician_cell
        WHERE technician_cell.cell_code = fault.cell_code LIMIT 1),
    fault.fired_at, coalesce(fault.cleared_at, fault.fired_at), line.upwards
FROM fault
JOIN (SELECT code, cell_line(code, now()) AS upwards FROM cell) AS line
    ON line.code = fault.cell_code;

-- name: transitions
INSERT INTO ticket_transition (ticket_id, event, from_state, to_state, actor, role, technician_id, at)
SELECT ticket.id, step.event, step.from_state, step.to_state, 'engine', 'engine',
    ticket.technician_id, ticket.created_at
FROM ticket
CROSS JOIN LATERAL (VALUES
    ('raise', NULL, 'NEW'), ('assign', 'NEW', 'ASSIGNED'),
    ('accept', 'ASSIGNED', 'ACCEPTED'),
    ('recover', 'ASSIGNED', 'RESOLVED'), ('close', 'RESOLVED', 'CLOSED')
) AS step (event, from_state, to_state)
WHERE step.event IN ('raise', 'assign')
    OR (step.event = 'accept') = (ticket.state = 'ACCEPTED')
ORDER BY ticket.id;

-- name: settle
-- As autovacuum would have it by and by.
VACUUM ANALYZE;
