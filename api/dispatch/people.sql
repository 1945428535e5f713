-- Technicians as dispatch knows them; for the engine, and behind routes that ask who is asked for.

-- name: people
-- Those named, or all. What they keep to do are tickets that they accepted, and those pinned to
-- them: a visit a site. A position that is older than a shift says nothing.
SELECT technician.id, technician.code, technician.skills, technician.lines, technician.zone,
    technician.most_visits,
    ARRAY(SELECT cell_code FROM technician_cell WHERE technician_id = technician.id) AS cells,
    ARRAY(SELECT ARRAY[weekday, begins_minute, ends_minute] FROM technician_shift
        WHERE technician_id = technician.id ORDER BY weekday, begins_minute) AS shifts,
    ARRAY(SELECT ARRAY[begins_at, ends_at] FROM technician_absence
        WHERE technician_id = technician.id AND ends_at > now()) AS absences,
    ARRAY(SELECT coalesce(ticket.cell_code || '/' || terminal.site, 'ticket ' || ticket.id)
        FROM ticket LEFT JOIN terminal ON terminal.id = ticket.terminal_id
        WHERE ticket.technician_id = technician.id
            AND (ticket.state IN ('ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
                OR (ticket.state = 'ASSIGNED' AND ticket.pinned))) AS visits,
    EXISTS (SELECT FROM account
        WHERE account.technician_id = technician.id AND account.disabled_at IS NOT NULL) AS disabled,
    coalesce(technician_position.latitude, technician.home_latitude) AS latitude,
    coalesce(technician_position.longitude, technician.home_longitude) AS longitude
FROM technician
LEFT JOIN technician_position ON technician_position.technician_id = technician.id
    AND technician_position.at > now() - interval '12 hours'
WHERE %(ids)s::integer[] IS NULL OR technician.id = ANY(%(ids)s)
ORDER BY technician.code;

-- name: surroundings
-- A print of all that a choice depends on, to the five minutes that urgency is looked at. Of tickets
-- each with its version, for the last of what happened to them may be committed before others. What
-- is over of people and of the map is left out: it is looked at every few seconds, and only grows.
SELECT md5(concat_ws('|',
    (SELECT sum(hashint8(id::bigint << 32 | version)::bigint) FROM ticket
        WHERE state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')),
    date_bin('5 minutes', now(), '2000-01-01 00:00Z'),
    (SELECT md5(string_agg(technician::text, ';' ORDER BY id)) FROM technician),
    (SELECT md5(string_agg(technician_cell::text, ';' ORDER BY technician_id, cell_code))
        FROM technician_cell),
    (SELECT md5(string_agg(technician_shift::text, ';' ORDER BY technician_id, weekday, begins_minute))
        FROM technician_shift),
    (SELECT md5(string_agg(technician_absence::text, ';' ORDER BY id)) FROM technician_absence
        WHERE ends_at > now()),
    (SELECT md5(string_agg(technician_position::text, ';' ORDER BY technician_id))
        FROM technician_position),
    (SELECT md5(string_agg(technician_id::text, ';' ORDER BY technician_id))
        FROM account WHERE disabled_at IS NOT NULL),
    (SELECT stamp FROM terminal_stamp),
    sla_seen(),
    (SELECT max(lower(valid)) FROM cell_version WHERE upper_inf(valid)))) AS seen;

-- name: looked
-- Nothing where it looked at the same before.
INSERT INTO dispatch_look (seen) VALUES (%(seen)s)
ON CONFLICT (only_one) DO UPDATE SET seen = excluded.seen, at = now()
WHERE dispatch_look.seen <> excluded.seen
RETURNING seen;

-- name: look_again
UPDATE dispatch_look SET seen = '';
