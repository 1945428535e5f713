-- What is to do at a terminal goes along into the cell that the terminal is in.

-- name: carry
-- What somebody accepted stays where it is, lest they lose it, unless that cell has ended. What somebody
-- moves just now is left to the next time: nobody waits for another. How many went, and how many were left.
WITH due AS (
    SELECT ticket.id, ticket.version, member.cell_code AS cell
    FROM ticket
    JOIN terminal ON terminal.id = ticket.terminal_id
    JOIN terminal_cell AS member
        ON member.terminal_id = terminal.id AND member.valid @> (SELECT clock_timestamp())
    JOIN cell ON cell.code = ticket.cell_code
    WHERE ticket.cell_code <> member.cell_code
        AND ticket.state NOT IN ('CLOSED', 'CANCELLED', 'MERGED')
        AND (ticket.state NOT IN ('ACCEPTED', 'EN_ROUTE', 'ON_SITE', 'ON_HOLD')
            OR cell.valid_to <= (SELECT clock_timestamp()))
), going AS (
    SELECT ticket.id, due.cell
    FROM due JOIN ticket ON ticket.id = due.id
    WHERE ticket.version = due.version
    FOR NO KEY UPDATE OF ticket SKIP LOCKED
), gone AS (
    UPDATE ticket
    SET cell_code = going.cell, version = ticket.version + 1
    FROM going
    WHERE ticket.id = going.id
    RETURNING ticket.id
)
SELECT (SELECT count(*) FROM gone), (SELECT count(*) FROM due) - (SELECT count(*) FROM gone);
