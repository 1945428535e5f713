"""The database and the broker the stack runs on: found installed, or assembled privately."""
