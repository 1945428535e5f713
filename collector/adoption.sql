-- name: adopted
-- By which catalogue a region's state was judged, and what that said.
SELECT catalogue.identity, catalogue.content
FROM region_catalogue
JOIN catalogue USING (identity)
WHERE region_catalogue.region_code = %(region)s;

-- name: keep_catalogue
INSERT INTO catalogue (identity, version, digest, content)
VALUES (%(identity)s, %(version)s, %(digest)s, %(content)s)
ON CONFLICT (identity) DO NOTHING;

-- name: adopt_catalogue
INSERT INTO region_catalogue (region_code, identity) VALUES (%(region)s, %(identity)s)
ON CONFLICT (region_code) DO UPDATE SET identity = EXCLUDED.identity, since = now();

-- name: keep_term
INSERT INTO catalogue_in_force (region_code, since, identity)
VALUES (%(region)s, %(since)s, %(identity)s)
ON CONFLICT (region_code, since) DO UPDATE SET identity = EXCLUDED.identity;
