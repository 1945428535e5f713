-- When technicians are away.

-- name: put_down
INSERT INTO technician_absence (technician_id, begins_at, ends_at, reason, author)
SELECT id, %(begin)s, %(end)s, %(reason)s, %(author)s FROM technician WHERE code = %(code)s
RETURNING id;

-- name: take_back
DELETE FROM technician_absence
USING technician
WHERE technician_absence.id = %(id)s AND technician.id = technician_absence.technician_id
    AND technician.code = %(code)s
RETURNING technician_absence.id;

-- name: announce
NOTIFY ticket;
