-- A collector that dies between its commit and its acknowledgement is delivered the same packets again.
-- Of numbered messages the ledger knows; by its packet's number the broker's second delivery of what
-- has none is told from another message that says the same.

ALTER TABLE quarantine ADD COLUMN packet_id integer;
COMMENT ON COLUMN quarantine.packet_id IS 'The broker''s number of the delivery; null: without one, or of before it was kept';
CREATE INDEX quarantine_packet ON quarantine (packet_id, topic);
ALTER TABLE presence ADD COLUMN packet_id integer;
COMMENT ON COLUMN presence.packet_id IS 'The broker''s number of the delivery; null: without one, or of before it was kept';
