"""The domain's shell to PostgreSQL: connections, named SQL, migrations."""
