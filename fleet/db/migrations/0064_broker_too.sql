-- Whether terminals were cut off with us follows from whether the broker was away, not from what was away
-- first: where a whole machine starts again it is both.

ALTER TABLE blindness ADD COLUMN broker_too boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN blindness.broker_too IS
    'The broker was away as well, though not first; false also of what is from before this was kept';

CREATE OR REPLACE VIEW blind WITH (security_invoker = true) AS
SELECT region_code, period, cause, broker_too FROM blindness
UNION ALL
SELECT region_code, tstzrange(seen_until, NULL), NULL, false
FROM region_service
WHERE seen_until < now() - interval '10 seconds';
