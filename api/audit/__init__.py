"""The audit: the database makes entries, here they are sealed in order of commit, and read."""
