-- Dispatch asks every few seconds whether the map is another than it was, not for all it ever was.

CREATE INDEX cell_version_newest ON cell_version (lower(valid)) WHERE upper_inf(valid);
