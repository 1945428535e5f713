-- All tickets of a terminal, and all that somebody changed, are found without reading everybody's.

CREATE INDEX ticket_terminal ON ticket (terminal_id, id);
CREATE INDEX audit_actor ON audit (actor, id);
