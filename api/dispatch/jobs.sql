-- What dispatch may give out; for the engine, and for a move that has found its ticket in scope.

-- name: jobs
-- Tickets that nobody accepted and no person pinned, or those of some keys. What is well, and was given
-- back since its cause was looked at, is resolved at the next look.
SELECT card.*, now() AS at,
    CASE WHEN card.terminal IS NOT NULL THEN card.cell || '/' || card.site END AS site_key,
    coalesce((SELECT skills FROM terminal WHERE terminal.code = card.terminal), '{}') AS also,
    ARRAY(SELECT ancestor_code FROM cell_ancestor
        WHERE cell_ancestor.cell_code = card.cell ORDER BY distance) AS cells,
    ARRAY(SELECT refused_by FROM ticket_transition
        WHERE ticket_transition.ticket_id = card.id AND refused_by IS NOT NULL) AS refused
FROM ticket_card AS card
WHERE CASE WHEN %(ids)s::integer[] IS NULL
    THEN (card.state = 'NEW' OR (card.state = 'ASSIGNED' AND NOT card.pinned))
        AND (card.recovered_at IS NULL OR ticket_wanted(card.id))
    ELSE card.id = ANY(%(ids)s) END
ORDER BY card.id;
