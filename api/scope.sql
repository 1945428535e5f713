-- Who a transaction works for.

-- name: enter
-- Settings of this transaction alone: they end with it, however it ends.
SELECT set_config('role', %(role)s, true),
    set_config('plan_cache_mode', %(plans)s, true),
    set_config('tellergrid.scope', %(cells)s::text[]::text, true),
    set_config('tellergrid.reach', %(reach)s::text[]::text, true),
    set_config('tellergrid.account', %(account)s, true),
    set_config('tellergrid.actor', %(actor)s, true),
    set_config('tellergrid.origin', %(origin)s, true);

-- name: introduce
SELECT set_config('tellergrid.actor', %(actor)s, true),
    set_config('tellergrid.origin', %(origin)s, true);
