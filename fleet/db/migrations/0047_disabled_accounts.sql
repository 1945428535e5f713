-- Nobody is sent whose account is disabled: whoever sees a technician sees whether it is.

GRANT SELECT (disabled_at) ON account TO tellergrid_scoped;
