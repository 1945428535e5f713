"""A fleet of terminals, as misbehaved as a real one, each with its own connection."""
