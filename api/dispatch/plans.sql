-- What a technician's day is made of.

-- name: to_do
SELECT ticket.id, terminal.site
FROM ticket
LEFT JOIN terminal ON terminal.id = ticket.terminal_id
WHERE ticket.technician_id = %(technician_id)s
    AND ticket.state IN ('ASSIGNED', 'ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
    AND (%(scope)s::text[] IS NULL OR ticket.cell_code = ANY(%(scope)s))
ORDER BY ticket.id;
