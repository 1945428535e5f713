"""The embedded stack: a real database, a real broker and our services, as child processes."""
