-- How statements are planned.

-- name: plan
-- Until this transaction ends.
SELECT set_config('plan_cache_mode', %(plans)s, true);
